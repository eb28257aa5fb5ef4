import {
  deadLetterOrigin,
  noHeaders,
  type DeadLetterOrigin,
  type Header,
  type Record,
} from '../broker/index.ts';
import { textOf } from '../util/index.ts';
import type { AnyCodec } from './codec.ts';
import { ValueError } from './errors.ts';
import { MessageHeaders } from './headers.ts';

/** A stored message: its place and its parts. The value is still encoded. */
export interface MessageParts {
  readonly topic: string;
  readonly partition: number;
  /** Number of the message in its partition, from 0. */
  readonly offset: number;
  /** Undefined if the message has no key. */
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  /** The stored value; `null` for a message without one. */
  readonly bytes: Uint8Array | null;
  /** When the message was published, in milliseconds since the epoch. */
  readonly timestampMs: number;
}

/** A message with its value decoded by the topic's codec or schema. */
export class Message<T> implements MessageParts {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  readonly bytes: Uint8Array | null;
  readonly timestampMs: number;
  readonly value: T;

  constructor(parts: MessageParts, value: T) {
    this.topic = parts.topic;
    this.partition = parts.partition;
    this.offset = parts.offset;
    this.key = parts.key;
    this.headers = parts.headers;
    this.bytes = parts.bytes;
    this.timestampMs = parts.timestampMs;
    this.value = value;
  }

  /** For a dead letter, where it came from and why. */
  get origin(): DeadLetterOrigin | undefined {
    return deadLetterOrigin(
      [...this.headers].map(([name, value]) => ({ name, value: Buffer.from(value, 'utf8') })),
    );
  }
}

/** Copies the fields of a record, whose buffer is reused. */
export function partsOf(topic: string, partition: number, record: Record): MessageParts {
  const { buffer, keyStart, keyEnd, value } = record;
  return {
    topic,
    partition,
    offset: record.offset,
    key: keyStart < 0 ? undefined : textOf(buffer, keyStart, keyEnd),
    headers: record.hasHeaders ? new MessageHeaders(copyOf(record.headers)) : noMessageHeaders,
    bytes: value && Buffer.from(value),
    timestampMs: record.timestampMs,
  };
}

const noMessageHeaders: MessageHeaders = new MessageHeaders(noHeaders);

export function copyOf(headers: readonly Header[]): Header[] {
  return headers.map(({ name, value }) => ({ name, value: value && Buffer.from(value) }));
}

/** Decodes the value of a message. The ValueError it throws names the message. */
export function valueOf<T>(codec: AnyCodec, parts: MessageParts): T | Promise<T> {
  try {
    const value = codec.decode(parts.bytes);
    return value instanceof Promise ? (value.catch(refuse(parts)) as Promise<T>) : (value as T);
  } catch (error) {
    return refuse(parts)(error);
  }
}

function refuse({ topic, partition, offset }: MessageParts): (error: unknown) => never {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const issues = error instanceof ValueError ? error.issues : [];
    throw new ValueError(
      `Message ${offset} of topic "${topic}" (partition ${partition}): ${message}`,
      issues,
      error,
    );
  };
}
