import type { Envelope, ReturnedMessage } from 'rabbitmq-client';
import type { Header } from '../../../broker/index.ts';
import { textOf } from '../../../util/index.ts';
import type { StoredMessage } from '../../driver.ts';
import { isLetterHeader } from '../letter-headers.ts';
import { deliveriesHeader, keyHeader } from './names.ts';

/** The parts of a message that every way to get one has. */
export type AmqpMessage = Pick<ReturnedMessage, 'headers' | 'messageId' | 'timestamp' | 'body'>;

type Table = NonNullable<Envelope['headers']>;

/** Headers as a table: a name that occurs several times has a list. */
export function tableOf(headers: readonly Header[], key: string | undefined): Table {
  const table: Table = {};
  for (const { name, value } of headers) {
    const text = value === null ? '' : textOf(value, 0, value.length);
    const before: unknown = table[name];
    table[name] = before === undefined ? text : [...(Array.isArray(before) ? before : [before]), text];
  }
  if (key !== undefined) table[keyHeader] = key;
  return table;
}

/** All headers of a message but those of AMQP's own (`x-…`). */
export function headersOf({ headers = {} }: AmqpMessage): Header[] {
  const list: Header[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-')) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value as unknown])
      list.push({ name, value: bytesOf(each) });
  }
  return list;
}

export function stored(topic: string, message: AmqpMessage): StoredMessage {
  const headers = headersOf(message);
  const key: unknown = message.headers?.[keyHeader];
  return {
    topic,
    partition: 0,
    offset: -1,
    id: message.messageId ?? '',
    key: typeof key === 'string' ? key : undefined,
    headers: headers.filter(
      (header) => header.name !== keyHeader && header.name !== deliveriesHeader && !isLetterHeader(header),
    ),
    bytes: bytesOf(message.body),
    timestampMs: (message.timestamp ?? 0) * 1_000,
  };
}

/** The package has read the body of a message with a content type. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), 'utf8');
}
