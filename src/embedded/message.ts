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

/**
 * A message as it is stored: where it stands, and its parts but for the value, which a codec has yet to read.
 */
export interface MessageParts {
  readonly topic: string;
  readonly partition: number;
  /** Its number in the partition, from 0. */
  readonly offset: number;
  /** Undefined when it has none. */
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  /** The value as it is stored; `null` for a message without one. */
  readonly bytes: Uint8Array | null;
  /** When it was published, in milliseconds since the epoch. */
  readonly timestampMs: number;
}

/** A message that was read: its parts, and its value as the topic's codec or schema gives it. */
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

  /** Where it came from and why, when it is a dead letter. */
  get origin(): DeadLetterOrigin | undefined {
    return deadLetterOrigin(
      [...this.headers].map(([name, value]) => ({ name, value: Buffer.from(value, 'utf8') })),
    );
  }
}

/** Copies what a record shows now. */
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

export const noMessageHeaders: MessageHeaders = new MessageHeaders(noHeaders);

export function copyOf(headers: readonly Header[]): Header[] {
  return headers.map(({ name, value }) => ({ name, value: value && Buffer.from(value) }));
}

/** The value that a codec reads from a message. Throws a ValueError which says whose value it is. */
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
