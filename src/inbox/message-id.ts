import { InboxError } from './errors.ts';
import { keyBytesMax, type InboxKey } from './store.ts';

/** The header in which an outbox sends the id of a message. */
export const idHeader = 'Pillarbox-Message-Id';

/**
 * Headers with the id of a message: an outbox's, the dedupe id of a JetStream client, the `message-id` of an
 * AMQP client, the deduplication id of an SQS client.
 */
const idHeaders = [idHeader, 'Nats-Msg-Id', 'amqp-message-id', 'sqs-deduplication-id'] as const;

/** What an inbox reads of a message: a delivery of the embedded API, or one of the client. */
export interface IncomingMessage {
  readonly topic: string;
  /** The id that the client gives a message. */
  readonly id?: string;
  readonly headers: { get(name: string): string | undefined };
  /** Where a dead letter came from. */
  readonly origin?: { readonly topic: string } | undefined;
}

/**
 * The id of a message: the same for each of its deliveries, for a repeated publish, and after a redrive.
 * Undefined if its publisher gave it none.
 */
export function messageId(message: IncomingMessage): string | undefined {
  if (typeof message.id === 'string') return message.id;
  for (const name of idHeaders) {
    const id = message.headers.get(name);
    if (id !== undefined && id !== '') return id;
  }
  return undefined;
}

/** By what a message is remembered. A dead letter is the message that it was in its topic of origin. */
export function keyOf(consumer: string, message: IncomingMessage, id: unknown): InboxKey {
  const topic = message.origin?.topic ?? message.topic;
  if (id === undefined || id === '')
    throw new InboxError(
      'id-missing',
      `A message of topic "${topic}" has no id: publish with an id (see messageId), or give inbox() an \`id\` that finds one in the message.`,
    );
  if (typeof id !== 'string' || Buffer.byteLength(id) > keyBytesMax)
    throw new InboxError(
      'id-invalid',
      `A message of topic "${topic}" has an id that cannot be remembered: it must be a text of at most ${keyBytesMax} bytes.`,
    );
  return { consumer, topic, id };
}
