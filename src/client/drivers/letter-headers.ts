import type { Header } from '../../broker/index.ts';
import { rfc3339 } from '../../util/index.ts';
import type { Incoming, Origin } from '../driver.ts';
import { headerText } from './message-id.ts';

/**
 * The headers of a dead letter: its origin and cause, in the names that the broker gives them. A dead letter
 * made by the client reads the same as one made by a Pillarbox server.
 */
const names = {
  topic: 'Pillarbox-Dead-Letter-Topic',
  group: 'Pillarbox-Dead-Letter-Group',
  partition: 'Pillarbox-Dead-Letter-Partition',
  offset: 'Pillarbox-Dead-Letter-Offset',
  key: 'Pillarbox-Dead-Letter-Key',
  cause: 'Pillarbox-Dead-Letter-Cause',
  deliveries: 'Pillarbox-Dead-Letter-Deliveries',
  firstTime: 'Pillarbox-Dead-Letter-First-Time',
  time: 'Pillarbox-Dead-Letter-Time',
} as const;

const letterPrefix = 'Pillarbox-Dead-Letter-';

export function isLetterHeader({ name }: Header): boolean {
  return name.startsWith(letterPrefix);
}

/** The cause of a dead letter, as it is stored. */
export function causeText(cause: 'rejected' | 'max-deliveries', reason: string): string {
  return reason === '' ? cause : `${cause}: ${reason}`;
}

/** What a dead letter made by the client adds to the headers of its message. `key` is the target's own. */
export function letterHeaders(
  { message, deliveries }: Incoming,
  group: string,
  key: string,
  cause: string,
  nowMs: number,
): Header[] {
  const text = (name: string, value: string): Header => ({ name, value: Buffer.from(value, 'utf8') });
  return [
    text(names.topic, message.topic),
    text(names.group, group),
    text(names.partition, String(message.partition)),
    text(names.offset, String(message.offset)),
    text(names.key, key),
    text(names.cause, cause),
    text(names.deliveries, String(deliveries)),
    text(names.time, rfc3339(nowMs)),
  ];
}

export function letterKey(headers: readonly Header[]): string | undefined {
  return headerText(headers, names.key);
}

/** The story of a dead letter; of a message without one, as far as that is known. */
export function originOf(headers: readonly Header[]): Origin {
  const text = (name: string): string => headerText(headers, name) ?? '';
  return {
    topic: text(names.topic),
    group: text(names.group),
    partition: Number(text(names.partition) || 0),
    offset: Number(text(names.offset) || -1),
    cause: text(names.cause),
    deliveries: Number(text(names.deliveries) || 0),
    firstTime: text(names.firstTime),
    time: text(names.time),
  };
}
