import type { MsgHdrs } from '@nats-io/transport-node';
import type { Header } from '../../../broker/index.ts';
import type { StoredMessage } from '../../driver.ts';
import { isLetterHeader } from '../letter-headers.ts';
import { headerText, messageIdHeader, placeId } from '../message-id.ts';
import { keyOfSubject } from './subjects.ts';

export const msgIdHeader = 'Nats-Msg-Id';

/** A message as NATS has it. */
export interface NatsMessage {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: number;
  readonly headers: readonly Header[];
  readonly bytes: Uint8Array;
  readonly timestampMs: number;
}

export function headersOf(given: MsgHdrs | undefined): Header[] {
  const headers: Header[] = [];
  for (const [name, values] of given ?? [])
    for (const value of values) headers.push({ name, value: Buffer.from(value, 'utf8') });
  return headers;
}

/** A message of a stream in the client's form: headers of NATS and of the client are taken out. */
export function stored({
  stream,
  subject,
  sequence,
  headers,
  bytes,
  timestampMs,
}: NatsMessage): StoredMessage {
  const offset = sequence - 1;
  return {
    topic: stream,
    partition: 0,
    offset,
    id:
      headerText(headers, messageIdHeader) ?? headerText(headers, msgIdHeader) ?? placeId(stream, 0, offset),
    key: keyOfSubject(stream, subject),
    headers: headers.length === 0 ? headers : headers.filter(isOfProgram),
    bytes,
    timestampMs,
  };
}

/** Headers by which a Pillarbox server is asked for a priority and a delay. */
export const priorityHeader = 'Pillarbox-Priority';
export const deliverAtHeader = 'Pillarbox-Deliver-At';

const ours: ReadonlySet<string> = new Set([messageIdHeader, priorityHeader, deliverAtHeader]);

function isOfProgram(header: Header): boolean {
  return !header.name.startsWith('Nats-') && !ours.has(header.name) && !isLetterHeader(header);
}
