import { Record, noHeaders, type Header } from '../../log/index.ts';
import type { Message, StoredMessage } from '../model.ts';

/** Encodes a message as a record in a buffer of its own. */
export function recordOf(message: Message): Record {
  const key = bytesOf(message.key ?? null);
  const value = bytesOf(message.value);
  const keyBytes = key?.length ?? 0;
  const record = new Record();
  const buffer = Buffer.allocUnsafe(keyBytes + (value?.length ?? 0));
  record.buffer = buffer;
  if (key) {
    buffer.set(key, 0);
    record.keyStart = 0;
    record.keyEnd = keyBytes;
  }
  if (value) {
    buffer.set(value, keyBytes);
    record.valueStart = keyBytes;
    record.valueEnd = buffer.length;
  }
  record.headers = message.headers ?? noHeaders;
  record.timestampMs = message.timestampMs ?? 0;
  return record;
}

/** Copies the contents of a record, so that they stay valid when the record is reused. */
export function storedMessage(topic: string, partition: number, record: Record): StoredMessage {
  return {
    topic,
    partition,
    offset: record.offset,
    key: record.keyStart < 0 ? null : Buffer.from(record.key!),
    headers: copyHeaders(record.headers),
    value: record.valueStart < 0 ? null : Buffer.from(record.value!),
    timestampMs: record.timestampMs,
  };
}

export function copyHeaders(headers: readonly Header[]): readonly Header[] {
  if (headers.length === 0) return noHeaders;
  return headers.map(({ name, value }) => ({ name, value: value === null ? null : Buffer.from(value) }));
}

/** Bytes of key, headers and value, as limits and credits count them. */
export function recordBytes(record: Record): number {
  let bytes = record.keyEnd - record.keyStart + (record.valueEnd - record.valueStart);
  // Counted as stored, without decoding.
  if (record.headersStart >= 0) return bytes + record.headersEnd - record.headersStart;
  if (record.headers.length > 0) {
    for (const { name, value } of record.headers) bytes += name.length + (value?.length ?? 0);
  }
  return bytes;
}

function bytesOf(part: Uint8Array | string | null): Uint8Array | null {
  return typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
}

/** A copy of a record with bytes of its own. */
export function copyRecord(record: Record): Record {
  return recordOf({
    key: record.key,
    headers: copyHeaders(record.headers),
    value: record.value,
    timestampMs: record.timestampMs,
  });
}
