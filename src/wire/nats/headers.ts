import { textOf } from '../../util/index.ts';
import { copyBytes } from './bytes.ts';
import { isBlock, isPlainBlock, verbatimIndex, verbatimName } from './verbatim-headers.ts';

/** A header is a name and a value of bytes; null stands for an empty value. */
export interface NatsHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** The status in the first line of a header block that a server sends without a message: 503, 404, 100 … */
export interface NatsStatus {
  readonly code: number;
  readonly description: string;
}

const versionLine = Buffer.from('NATS/1.0', 'latin1');
const cr = 13;
const lf = 10;
const colon = 58;
const blank = 32;
const percent = 37;

/**
 * A header scanner reads the lines of a header block without allocating:
 * ```
 * NATS/1.0[ code[ description]] CRLF   (name ":" [blanks] value CRLF)*   CRLF
 * ```
 * Lines without a colon are skipped. The input is not trusted: bytes that are not a header block have no
 * headers.
 */
export class HeaderScanner {
  #buffer: Uint8Array = versionLine;
  #at = 0;
  #end = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  /** Starts before the first header of the block in this range. */
  reset(buffer: Uint8Array, start: number, end: number): void {
    this.#buffer = buffer;
    this.#end = end;
    this.#at = afterLine(buffer, start, end);
  }

  /** Moves to the next header; returns false if there is none. */
  next(): boolean {
    const buffer = this.#buffer;
    while (this.#at < this.#end) {
      const start = this.#at;
      const next = afterLine(buffer, start, this.#end);
      this.#at = next;
      let end = next;
      while (end > start && (buffer[end - 1] === lf || buffer[end - 1] === cr)) end--;
      const nameEnd = indexOf(buffer, colon, start, end);
      if (nameEnd <= start) continue;
      let valueStart = nameEnd + 1;
      while (valueStart < end && buffer[valueStart] === blank) valueStart++;
      while (end > valueStart && buffer[end - 1] === blank) end--;
      this.nameStart = start;
      this.nameEnd = nameEnd;
      this.valueStart = valueStart;
      this.valueEnd = end;
      return true;
    }
    return false;
  }

  /** Whether the name of this header is `name`, given as bytes. Case matters. */
  named(name: Uint8Array): boolean {
    const start = this.nameStart;
    if (this.nameEnd - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.#buffer[start + i] !== name[i]) return false;
    return true;
  }

  get name(): string {
    return textOf(this.#buffer, this.nameStart, this.nameEnd);
  }

  get value(): string {
    return textOf(this.#buffer, this.valueStart, this.valueEnd);
  }
}

const scanner = new HeaderScanner();

/** The headers of a block, in order. Values are views. */
export function decodeHeaders(buffer: Uint8Array, start: number, end: number): NatsHeader[] {
  const headers: NatsHeader[] = [];
  scanner.reset(buffer, start, end);
  while (scanner.next()) {
    headers.push({ name: scanner.name, value: buffer.subarray(scanner.valueStart, scanner.valueEnd) });
  }
  return headers;
}

/**
 * The headers of a block as they are stored: the list alone if the block can be rebuilt from it, else the
 * list followed by the block.
 */
export function storedHeaders(buffer: Uint8Array, start: number, end: number): NatsHeader[] {
  const headers = decodeHeaders(buffer, start, end);
  if (isPlainBlock(buffer, start, end) && !headers.some(({ name }) => name === verbatimName)) return headers;
  const block = buffer.subarray(start, end);
  if (isBlock(block)) headers.push({ name: verbatimName, value: block });
  return headers;
}

/** The status in the first line of a block. */
export function decodeStatus(buffer: Uint8Array, start: number, end: number): NatsStatus | undefined {
  const line = textOf(buffer, start, afterLine(buffer, start, end)).trim();
  const [version, code, ...description] = line.split(' ');
  if (version !== 'NATS/1.0' || code === undefined || !/^[0-9]{3}$/.test(code)) return undefined;
  return { code: Number(code), description: description.join(' ') };
}

/** The number of bytes that {@link writeHeaders} writes. */
export function headersSize(headers: readonly NatsHeader[], status?: string): number {
  const verbatim = verbatimIndex(headers);
  let size = verbatim < 0 ? versionLine.length + 4 : headers[verbatim]!.value!.length;
  if (status !== undefined) size += 1 + Buffer.byteLength(status);
  for (let i = verbatim + 1; i < headers.length; i++) {
    const { name, value } = headers[i]!;
    size += nameSize(name) + 2 + valueSize(value) + 2;
  }
  return size;
}

/**
 * Writes a header block and returns its end. Characters that a name or value cannot contain here (line ends;
 * in names also blanks and colons) are written as %XX, so that headers of other protocols are not lost and
 * cannot forge lines. A {@link verbatimName} header replaces itself and all headers before it: its block is
 * written unchanged, and the headers after it follow.
 */
export function writeHeaders(
  target: Uint8Array,
  position: number,
  headers: readonly NatsHeader[],
  status?: string,
): number {
  const verbatim = verbatimIndex(headers);
  let at = position;
  if (verbatim < 0) {
    at = copyBytes(target, at, versionLine, 0, versionLine.length);
    if (status !== undefined) {
      target[at++] = blank;
      at += writeUtf8(target, at, status);
    }
    at = writeLineEnd(target, at);
  } else {
    const block = headers[verbatim]!.value!;
    at = copyBytes(target, at, block, 0, block.length - 2);
  }
  for (let i = verbatim + 1; i < headers.length; i++) {
    const { name, value } = headers[i]!;
    at = writeName(target, at, name);
    target[at++] = colon;
    target[at++] = blank;
    if (value !== null) at = writeValue(target, at, value);
    at = writeLineEnd(target, at);
  }
  return writeLineEnd(target, at);
}

/** Encodes a header block into a buffer of its own. */
export function encodeHeaders(headers: readonly NatsHeader[], status?: string): Buffer {
  const block = Buffer.allocUnsafe(headersSize(headers, status));
  writeHeaders(block, 0, headers, status);
  return block;
}

/** The encoding of header blocks. NATS messages recognise their own headers by it. */
export const natsHeaders: { decode: typeof decodeHeaders } = { decode: decodeHeaders };

const plainName = /^[!-9;-~]+$/;

function escapedName(name: string): Buffer {
  if (name === '') return Buffer.from('%', 'latin1');
  const bytes: number[] = [];
  for (const byte of Buffer.from(name, 'utf8')) {
    if (byte <= blank || byte === colon || byte === 127)
      bytes.push(percent, hexDigit(byte >> 4), hexDigit(byte & 15));
    else bytes.push(byte);
  }
  return Buffer.from(bytes);
}

function nameSize(name: string): number {
  return plainName.test(name) ? name.length : escapedName(name).length;
}

function writeName(target: Uint8Array, position: number, name: string): number {
  if (!plainName.test(name)) {
    const bytes = escapedName(name);
    return copyBytes(target, position, bytes, 0, bytes.length);
  }
  for (let i = 0; i < name.length; i++) target[position++] = name.charCodeAt(i);
  return position;
}

function valueSize(value: Uint8Array | null): number {
  if (value === null) return 0;
  let size = value.length;
  for (let i = 0; i < value.length; i++) if (value[i] === cr || value[i] === lf) size += 2;
  return size;
}

function writeValue(target: Uint8Array, position: number, value: Uint8Array): number {
  for (let i = 0; i < value.length; i++) {
    const byte = value[i]!;
    if (byte === cr || byte === lf) {
      target[position++] = percent;
      target[position++] = 48;
      target[position++] = hexDigit(byte);
    } else {
      target[position++] = byte;
    }
  }
  return position;
}

function hexDigit(value: number): number {
  return value < 10 ? 48 + value : 55 + value;
}

function writeUtf8(target: Uint8Array, position: number, text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  copyBytes(target, position, bytes, 0, bytes.length);
  return bytes.length;
}

function writeLineEnd(target: Uint8Array, position: number): number {
  target[position] = cr;
  target[position + 1] = lf;
  return position + 2;
}

/** The end of the line that starts at `start`, its line end included. */
function afterLine(buffer: Uint8Array, start: number, end: number): number {
  const at = indexOf(buffer, lf, start, end);
  return at < 0 ? end : at + 1;
}

function indexOf(buffer: Uint8Array, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (buffer[at] === byte) return at;
  return -1;
}
