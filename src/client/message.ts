import { MessageHeaders, ValueError, type AnyCodec } from '../embedded/values.ts';
import type { StoredMessage } from './driver.ts';

/** A message with its value decoded by the topic's codec or schema. */
export class Message<T> {
  readonly topic: string;
  readonly partition: number;
  /** Number of the message in its partition, from 0; -1 where the target has none. */
  readonly offset: number;
  /**
   * The identity of the message, the same for all of its deliveries, its retries and a redrive: the dedupe id
   * of its publish, if that had one. An inbox remembers it.
   */
  readonly id: string;
  /** Undefined if the message has no key. */
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  /** The stored value; `null` for a message without one. */
  readonly bytes: Uint8Array | null;
  /** When the message was published, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly value: T;

  constructor(stored: StoredMessage, value: T) {
    this.topic = stored.topic;
    this.partition = stored.partition;
    this.offset = stored.offset;
    this.id = stored.id;
    this.key = stored.key;
    this.headers = new MessageHeaders(stored.headers);
    this.bytes = stored.bytes;
    this.timestampMs = stored.timestampMs;
    this.value = value;
  }
}

/** Decodes the value of a message. The ValueError it throws names the message. */
export function valueOf<T>(codec: AnyCodec, stored: StoredMessage): T | Promise<T> {
  try {
    const value = codec.decode(stored.bytes);
    return value instanceof Promise ? (value.catch(refuse(stored)) as Promise<T>) : (value as T);
  } catch (error) {
    return refuse(stored)(error);
  }
}

function refuse({ topic, id }: StoredMessage): (error: unknown) => never {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const issues = error instanceof ValueError ? error.issues : [];
    throw new ValueError(`Message "${id}" of topic "${topic}": ${message}`, issues, error);
  };
}
