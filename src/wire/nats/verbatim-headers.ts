import type { NatsHeader } from './headers.ts';

/**
 * The name of a header that carries a header block which {@link decodeHeaders} and `writeHeaders` would not
 * reproduce byte for byte: blanks in names, `A:1`, lines without a colon, a first line with more than the
 * version. A stored message then has its headers as a list, for readers of other protocols, followed by this
 * one, from which NATS clients get the original block.
 */
export const verbatimName = 'Pillarbox-Nats-Headers';

const firstLine = Buffer.from('NATS/1.0\r\n', 'latin1');
const cr = 13;
const lf = 10;
const blank = 32;
const colon = 58;

/** The index of the original block in a message's list of headers; -1 if the list is complete by itself. */
export function verbatimIndex(headers: readonly NatsHeader[]): number {
  for (let i = headers.length - 1; i >= 0; i--) {
    const { name, value } = headers[i]!;
    if (name === verbatimName && value !== null && isBlock(value)) return i;
  }
  return -1;
}

/**
 * Whether the value starts with a version line and ends with an empty line. Other protocols may use the
 * header's name for anything.
 */
export function isBlock(value: Uint8Array): boolean {
  const { length } = value;
  if (length < firstLine.length + 2 || !beginsWithVersion(value, 0, firstLine.length - 2)) return false;
  return (
    value[length - 4] === cr &&
    value[length - 3] === lf &&
    value[length - 2] === cr &&
    value[length - 1] === lf
  );
}

/** Whether every line is `name: value`, without anything that decoding drops or encoding escapes. */
export function isPlainBlock(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start < firstLine.length + 2 || !beginsWithVersion(buffer, start, firstLine.length)) return false;
  let at = start + firstLine.length;
  if (isLineEnd(buffer, at)) return false; // no header at all: an empty list would mean no block
  while (at < end - 2) {
    const nameStart = at;
    while (at < end && isNameByte(buffer[at]!)) at++;
    if (at === nameStart || buffer[at] !== colon || buffer[at + 1] !== blank) return false;
    at += 2;
    const valueStart = at;
    while (at < end && buffer[at] !== cr && buffer[at] !== lf) at++;
    if (at > valueStart && (buffer[valueStart] === blank || buffer[at - 1] === blank)) return false;
    if (!isLineEnd(buffer, at)) return false;
    at += 2;
  }
  return at === end - 2 && isLineEnd(buffer, at);
}

function beginsWithVersion(buffer: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (buffer[start + i] !== firstLine[i]) return false;
  return true;
}

function isLineEnd(buffer: Uint8Array, at: number): boolean {
  return buffer[at] === cr && buffer[at + 1] === lf;
}

/** Printable ASCII except blank and colon. */
function isNameByte(byte: number): boolean {
  return byte > blank && byte < 127 && byte !== colon;
}
