import type { Record } from '../../broker/index.ts';

/**
 * A trace context is the place of a message in a trace, as its publisher wrote it into the headers of the
 * message. Specification: W3C Trace Context, level 1.
 */
export interface TraceContext {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** The header `tracestate`, if there is one. */
  readonly state?: string;
}

/** The headers of a context have these names in every protocol. */
const parentHeader = 'traceparent';
const stateHeader = 'tracestate';
const pattern = Buffer.from(parentHeader, 'latin1');

/**
 * The value of `traceparent`: version, trace id, parent id, flags. Later versions may be longer, but begin
 * like this.
 */
const parentForm =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
/** The flag "sampled": the publisher records its part of the trace. */
const sampledFlag = 1;
/** A longer `tracestate` is left out: "vendors SHOULD propagate at least 512 characters". */
const stateLengthMax = 512;

/**
 * The context of a message; null if it is one that the publisher does not record, undefined if there is none.
 * Mostly it is one of these two, so that is found out without decoding a header.
 */
export function contextOf(record: Record): TraceContext | null | undefined {
  if (record.headersStart >= 0) {
    const { buffer } = record;
    const end = endOfParentName(buffer, record.headersStart, record.headersEnd);
    if (end < 0) return undefined;
    // The flags are the last of 55 characters, and "sampled" is the lowest bit of the last of them.
    if (buffer[end] === parentLengthByte && unsampledDigit(buffer[end + parentLength]!)) return null;
  }
  let parent: string | undefined;
  let state: string | undefined;
  for (const { name, value } of record.headers) {
    if (value === null) continue;
    if (name === parentHeader) parent ??= textOf(value);
    else if (name === stateHeader) state ??= textOf(value);
  }
  return parent === undefined ? undefined : readContext(parent, state);
}

/** The characters of a `traceparent`, and the byte that has this number as a varint (zigzag). */
const parentLength = 55;
const parentLengthByte = 2 * parentLength;

/** Whether a hexadecimal digit is even. */
function unsampledDigit(byte: number): boolean {
  return byte < 0x3a ? byte >= 0x30 && (byte & 1) === 0 : byte === 0x61 || byte === 0x63 || byte === 0x65;
}

/**
 * Where the name `traceparent` ends in the stored headers `[start, end)`, `count:varint (nameLength:varint
 * name valueLength:varint value)*`; -1 if it is not there. Lengths of two bytes and more are read by
 * `varint`.
 */
function endOfParentName(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const varint = (): number => {
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && at < end; shift += 7) {
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  };
  for (let count = varint(); count > 0 && at < end; count--) {
    const nameLength = varint();
    const nameEnd = at + nameLength;
    if (nameLength === parentHeader.length && isParentName(bytes, at)) return nameEnd;
    at = nameEnd;
    at += Math.max(0, varint());
  }
  return -1;
}

function isParentName(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false;
  return true;
}

/**
 * Reads the text of the two headers; null if the publisher does not record, undefined if it is no context.
 */
function readContext(parent: string, state: string | undefined): TraceContext | null | undefined {
  const [, traceId, spanId, flags] = parentForm.exec(parent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if ((Number.parseInt(flags, 16) & sampledFlag) === 0) return null;
  const isKept = state !== undefined && state !== '' && state.length <= stateLengthMax;
  return { traceId, spanId, ...(isKept ? { state } : {}) };
}

/** The text of a header. Longer ones than the two may be are of no interest. */
function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, 1024)).toString('latin1');
}

/**
 * The contexts in a RecordBatch v2, of the messages whose publishers record them, `max` of them at most. The
 * bytes are searched, and no record is decoded: batches that clients build pass through the broker as they
 * are. None are found in a compressed batch.
 */
export function contextsInBatch(batch: Uint8Array, max: number): TraceContext[] {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.length);
  const found: TraceContext[] = [];
  let at = bytes.indexOf(pattern);
  for (; at >= 0 && found.length < max; at = bytes.indexOf(pattern, at + pattern.length)) {
    const start = at + pattern.length + 1;
    const end = start + parentLength;
    if (bytes[start - 1] !== parentLengthByte || end > bytes.length) continue;
    const context = readContext(bytes.toString('latin1', start, end), undefined);
    if (context) found.push(context);
  }
  return found;
}
