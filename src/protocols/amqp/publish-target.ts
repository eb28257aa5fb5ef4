import type { Topic } from '../../broker/index.ts';
import type { Access } from '../users/index.ts';
import type { Exchange } from './exchanges/index.ts';

/** Where a message goes to. */
export interface PublishRoute {
  readonly topics: readonly Topic[];
  /** Queues that get it after the delay that it asks for. */
  readonly delayed: readonly Topic[];
  /** Whether some of these queues ask for more than the message. */
  readonly isSelective: boolean;
  /** Addresses of requesters: see direct-replies.ts. */
  readonly replies: readonly string[];
}

const noBytes = Buffer.alloc(0);

/** The fields of a basic.publish. */
export interface PublishFields {
  readonly exchange: string;
  readonly routingKey: string;
  /** Where the bytes of the routing key begin in the method. */
  readonly keyOffset: number;
  /** The octet of the bits. */
  readonly flags: number;
}

/**
 * A publish target is what a basic.publish names: exchange, routing key, flags. The method of the next
 * publish is mostly the same, byte for byte, and so is its route, until an exchange, a binding or a queue
 * changes.
 */
export class PublishTarget {
  readonly exchange: string;
  readonly routingKey: string;
  readonly keyOffset: number;
  readonly mandatory: boolean;
  readonly immediate: boolean;
  /**
   * The key that messages are stored with. A message for the default exchange has none: its routing key is
   * the name of the queue.
   */
  readonly key: Buffer;
  /** The bytes of the method. */
  readonly #bytes: Buffer;

  /** The exchange; undefined for the default one. Valid while the generation and the access are the same. */
  source: Exchange | undefined = undefined;
  /** The route of every message with this target; undefined if each has one of its own. */
  route: PublishRoute | undefined = undefined;
  generation = -1;
  access: Access | undefined = undefined;

  constructor(bytes: Buffer, { exchange, routingKey, keyOffset, flags }: PublishFields) {
    this.#bytes = bytes;
    this.keyOffset = keyOffset;
    this.exchange = exchange;
    this.routingKey = routingKey;
    this.mandatory = (flags & 1) !== 0;
    this.immediate = (flags & 2) !== 0;
    this.key = exchange === '' ? noBytes : Buffer.from(routingKey, 'utf8');
  }

  /** Whether a method has the same bytes. */
  isOf(buffer: Buffer, start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start !== bytes.length) return false;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== buffer[start + i]) return false;
    return true;
  }
}
