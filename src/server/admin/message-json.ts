import { isUtf8 } from 'node:buffer';
import type { HeaderJson, MessageJson, ValueForm } from '../../admin-api/index.ts';
import type { Header, Record, StoredMessage } from '../../broker/index.ts';
import { nestsDeeper } from '../../util/index.ts';

export const valueForms: readonly ValueForm[] = ['auto', 'utf8', 'json', 'base64'];

export interface ValueOptions {
  readonly as: ValueForm;
  readonly valueBytesMax: number;
}

export function messageJson(
  topic: string,
  partition: number,
  message: Record | StoredMessage,
  options: ValueOptions,
): MessageJson {
  const { key, value } = message;
  const shownKey = bytesJson(key);
  const truncated = (value?.length ?? 0) > options.valueBytesMax;
  const shown = valueJson(
    truncated ? (value?.subarray(0, options.valueBytesMax) ?? null) : value,
    options.as,
    truncated,
  );
  return {
    topic,
    partition,
    offset: message.offset,
    timestampMs: message.timestampMs,
    time: timeText(message.timestampMs),
    key: shownKey.value,
    keyEncoding: shownKey.encoding,
    headers: message.headers.map(headerJson),
    value: shown.value,
    encoding: shown.encoding,
    valueBytes: value?.length ?? 0,
    truncated,
  };
}

/** The time of a message as text. A client's timestamp may be outside the range of dates. */
function timeText(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? String(timestampMs) : date.toISOString();
}

function valueJson(
  bytes: Uint8Array | null,
  as: ValueForm,
  truncated: boolean,
): { value: unknown; encoding: MessageJson['encoding'] } {
  if (as === 'base64') return { value: bytes && base64(bytes), encoding: bytes && 'base64' };
  if (as === 'json' && bytes && !truncated && !nestsDeeper(bytes, jsonDepthMax)) {
    try {
      return { value: JSON.parse(utf8(bytes)) as unknown, encoding: 'json' };
    } catch {
      // Shown as text below.
    }
  }
  // The value may be cut in the middle of a character.
  if (as === 'utf8' || (truncated && bytes && isUtf8(withoutTornCharacter(bytes))))
    return { value: bytes && utf8(withoutTornCharacter(bytes)), encoding: bytes && 'utf8' };
  return bytesJson(bytes);
}

/**
 * Deeper values are shown as text, because JavaScript writes JSON by recursion, which fails somewhere beyond
 * 1,000 levels.
 */
const jsonDepthMax = 500;

function bytesJson(bytes: Uint8Array | null): { value: string | null; encoding: 'utf8' | 'base64' | null } {
  if (bytes === null) return { value: null, encoding: null };
  return isUtf8(bytes)
    ? { value: utf8(bytes), encoding: 'utf8' }
    : { value: base64(bytes), encoding: 'base64' };
}

function headerJson({ name, value }: Header): HeaderJson {
  if (value === null || isUtf8(value)) return { name, value: value && utf8(value) };
  return { name, value: base64(value), encoding: 'base64' };
}

/**
 * Removes a torn character at the end. UTF-8 characters have at most four bytes, so at most three are
 * removed.
 */
function withoutTornCharacter(bytes: Uint8Array): Uint8Array {
  for (let cut = 0; cut < 4; cut++) {
    const part = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(part)) return part;
  }
  return bytes;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
