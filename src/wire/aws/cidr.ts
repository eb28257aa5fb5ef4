/** A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address. */
export interface Cidr {
  /** As 128 bits: IPv4 in the form `::ffff:a.b.c.d`. */
  readonly base: bigint;
  readonly mask: bigint;
}

const all = (1n << 128n) - 1n;

/** Undefined if the text is no range. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', bits] = /^([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const base = parseAddress(address);
  if (base === undefined) return undefined;
  const isV4 = !address.includes(':');
  const length = bits === undefined ? 128 : Number(bits) + (isV4 ? 96 : 0);
  if (length > 128) return undefined;
  const mask = length === 0 ? 0n : (all << BigInt(128 - length)) & all;
  return { base: base & mask, mask };
}

export function isInCidr({ base, mask }: Cidr, address: string): boolean {
  const value = parseAddress(address);
  return value !== undefined && (value & mask) === base;
}

/** An address as 128 bits; undefined if the text is none. */
function parseAddress(text: string): bigint | undefined {
  if (!text.includes(':')) {
    const v4 = parseV4(text);
    return v4 === undefined ? undefined : 0xffff_0000_0000n | v4;
  }
  if (text.length > 45) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let groups = text;
  if (dotted) {
    const v4 = parseV4(dotted[2]!);
    if (v4 === undefined) return undefined;
    groups = `${dotted[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const halves = groups.split('::');
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const group of [...left, ...Array.from({ length: missing }, () => '0'), ...right]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

function parseV4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}
