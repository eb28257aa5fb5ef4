import { MessageHeaders } from '../embedded/values.ts';
import type { OutgoingMessage, StoredMessage } from '../client/parts.ts';

/**
 * What can become of a message. `delivered`: a consumer has it. `retried`: it failed, and comes again.
 * `released`: it went back unhandled. `dead`: its group gave it up.
 */
export const fates = ['published', 'delivered', 'acked', 'retried', 'released', 'dead'] as const;
export type Fate = (typeof fates)[number];

/** A message as a spy shows it. Its value is read as JSON, or as text if it is none. */
export interface SeenMessage {
  readonly topic: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  readonly value: unknown;
}

/** Something that became of a message. */
export interface SpyEvent {
  readonly fate: Fate;
  /** Undefined for `published`. */
  readonly group: string | undefined;
  readonly message: SeenMessage;
  /** Of `delivered` and what follows it: which delivery, from 1. */
  readonly delivery: number;
  /** Of `retried` and `dead`: why. */
  readonly reason: string;
  /** On the clock of the kit, in milliseconds since the epoch. */
  readonly timeMs: number;
}

export function seenOf(topic: string, message: OutgoingMessage | StoredMessage): SeenMessage {
  const bytes = 'bytes' in message ? message.bytes : message.value;
  return {
    topic,
    id: message.id,
    key: message.key,
    headers: new MessageHeaders(message.headers),
    value: readValue(bytes),
  };
}

function readValue(bytes: Uint8Array | string | null): unknown {
  if (bytes === null) return null;
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
