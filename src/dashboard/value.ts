// What a value of a message is, and its bytes as text. Nothing here needs a browser.

export type ValueKind = 'json' | 'text' | 'hex';

export interface Value {
  readonly bytes: Uint8Array;
  /** Undefined: it is not UTF-8. */
  readonly text: string | undefined;
  /** Undefined: it is not JSON. */
  readonly json: { readonly value: unknown } | undefined;
}

export function readValue(base64: string): Value {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  let text: string | undefined;
  let json: Value['json'];
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (/^\s*[[{"]/.test(text)) json = { value: JSON.parse(text) as unknown };
  } catch {
    // It is what it is.
  }
  return { bytes, text, json };
}

/** A value as lists show it. */
export function valueText(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

/** `00000010  7b 22 61 …  {"a…`, sixteen bytes a line. */
export function hexDump(bytes: Uint8Array, bytesMax: number = 16_384): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, bytesMax); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0'));
    const halves = [hex.slice(0, 8).join(' '), hex.slice(8).join(' ')].join('  ');
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    lines.push(`${at.toString(16).padStart(8, '0')}  ${halves.padEnd(48)}  ${text.join('')}`);
  }
  if (bytes.length > bytesMax) lines.push(`… ${bytes.length - bytesMax} more bytes`);
  return lines.join('\n');
}
