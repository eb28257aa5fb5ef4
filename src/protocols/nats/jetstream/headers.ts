import { noHeaders, type Header, type StoredMessage } from '../../../broker/index.ts';
import { encodeHeaders, natsHeaders } from '../../../wire/nats/index.ts';
import type { Stream } from './stream.ts';

export { natsHeaders, noHeaders, type Header };

/** Carries the key of a message of another protocol, if the key is not a subject of the stream. */
const foreignKeyName = 'Pillarbox-Key';

export function foreignKeyHeader(key: Uint8Array): Header {
  return { name: foreignKeyName, value: key };
}

/**
 * The text of the first header of that name; undefined if there is none or it is empty, as in nats-server.
 */
export function headerText(headers: readonly Header[], name: string): string | undefined {
  for (const header of headers) {
    if (header.name !== name) continue;
    const { value } = header;
    return value === null || value.length === 0
      ? undefined
      : Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8');
  }
  return undefined;
}

/** Whether the key of a stored message is a subject of the stream. */
function isSubject(stream: Stream, { key }: StoredMessage): boolean {
  return key !== null && stream.keySubjects.has(key, 0, key.length);
}

/** The subject that a stored message shows. */
export function messageSubject(stream: Stream, message: StoredMessage): string {
  return isSubject(stream, message) ? Buffer.from(message.key!).toString('utf8') : stream.name;
}

/** The headers that a stored message shows. */
export function messageHeaders(stream: Stream, message: StoredMessage): readonly Header[] {
  if (message.key === null || isSubject(stream, message)) return message.headers;
  return [...message.headers, foreignKeyHeader(message.key)];
}

/** The same as a header block; undefined when there are none. */
export function messageHeaderBlock(stream: Stream, message: StoredMessage): Buffer | undefined {
  const headers = messageHeaders(stream, message);
  return headers.length === 0 ? undefined : encodeHeaders(headers);
}

export function textHeader(name: string, value: string | number): Header {
  return { name, value: Buffer.from(String(value)) };
}
