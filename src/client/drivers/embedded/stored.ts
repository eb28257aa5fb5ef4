import type { Message } from '../../../embedded/index.ts';
import type { StoredMessage } from '../../driver.ts';
import { isLetterHeader } from '../letter-headers.ts';
import { headerText, messageIdHeader, placeId } from '../message-id.ts';

/** A message of a box in the client's form; the headers of the client and of dead letters are taken out. */
export function stored(message: Message<unknown>): StoredMessage {
  const { topic, partition, offset, key, bytes, timestampMs } = message;
  const all = Array.from(message.headers, ([name, value]) => ({ name, value: Buffer.from(value, 'utf8') }));
  return {
    topic,
    partition,
    offset,
    id: headerText(all, messageIdHeader) ?? placeId(topic, partition, offset),
    key,
    headers: all.filter((header) => header.name !== messageIdHeader && !isLetterHeader(header)),
    bytes,
    timestampMs,
  };
}
