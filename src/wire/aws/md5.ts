import { createHash, hash, type Hash } from 'node:crypto';

/** An attribute of a message, as far as its hash needs it. */
export interface HashedAttribute {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
}

/**
 * The MD5 of a message body, in hex. Clients compare it with their own: it finds damage, and protects
 * nothing.
 */
export function md5OfText(text: string): string {
  return hash('md5', text);
}

/**
 * The MD5 of attributes in hex; undefined if there are none. By name in order of code units, each adds:
 *
 * ```
 * length:u32 name   length:u32 dataType   transport:u8   length:u32 value
 * ```
 *
 * `transport` is 1 for text (String and Number) and 2 for bytes. Source: "Calculating the MD5 message digest for
 * message attributes", developer guide of SQS.
 */
export function md5OfAttributes(attributes: ReadonlyMap<string, HashedAttribute>): string | undefined {
  if (attributes.size === 0) return undefined;
  const sum = createHash('md5');
  for (const name of Array.from(attributes.keys()).sort()) {
    const { DataType, StringValue, BinaryValue } = attributes.get(name)!;
    add(sum, Buffer.from(name));
    add(sum, Buffer.from(DataType));
    sum.update(BinaryValue === undefined ? text : bytes);
    add(sum, BinaryValue ?? Buffer.from(StringValue ?? ''));
  }
  return sum.digest('hex');
}

const text = Buffer.from([1]);
const bytes = Buffer.from([2]);

function add(sum: Hash, value: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  sum.update(length).update(value);
}
