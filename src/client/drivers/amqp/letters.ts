import type { Channel, Connection, SyncMessage } from 'rabbitmq-client';
import type { LetterStore, StoredLetter } from '../../driver.ts';
import { originOf } from '../letter-headers.ts';
import { exchangeOf } from './names.ts';
import type { AmqpPublisher } from './publisher.ts';
import { headersOf, stored, tableOf } from './stored.ts';

/**
 * The dead letters in a queue. AMQP reads by taking: what was only read goes back when its channel is closed.
 */
export class AmqpLetters implements LetterStore {
  readonly #connection: Connection;
  readonly #publisher: AmqpPublisher;
  readonly #queue: string;

  constructor(connection: Connection, publisher: AmqpPublisher, queue: string) {
    this.#connection = connection;
    this.#publisher = publisher;
    this.#queue = queue;
  }

  async count(): Promise<number> {
    return (await this.#connection.queueDeclare({ queue: this.#queue, passive: true })).messageCount;
  }

  async *browse(signal?: AbortSignal): AsyncGenerator<StoredLetter, void, void> {
    const channel = await this.#connection.acquire();
    try {
      for await (const message of this.#take(channel)) {
        signal?.throwIfAborted();
        yield letterOf(message);
      }
    } finally {
      await channel.close();
    }
  }

  async redrive(limit: number): Promise<number> {
    const channel = await this.#connection.acquire();
    let moved = 0;
    try {
      if (limit <= 0) return moved;
      for await (const taken of this.#take(channel)) {
        const { message, origin } = letterOf(taken);
        const { messageId, timestamp } = taken;
        const headers = tableOf(message.headers, message.key);
        await this.#publisher.publish(
          { exchange: exchangeOf(origin.topic), routingKey: '', headers, ...given({ messageId, timestamp }) },
          message.bytes ?? new Uint8Array(0),
        );
        channel.basicAck({ deliveryTag: taken.deliveryTag });
        moved += 1;
        if (moved >= limit) break;
      }
    } finally {
      await channel.close();
    }
    return moved;
  }

  async purge(): Promise<number> {
    return (await this.#connection.queuePurge({ queue: this.#queue })).messageCount;
  }

  async *#take(channel: Channel): AsyncGenerator<SyncMessage, void, void> {
    for (;;) {
      const message = await channel.basicGet({ queue: this.#queue });
      if (!message) return;
      yield message;
    }
  }
}

/** The members that are not undefined. */
export function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function letterOf(message: SyncMessage): StoredLetter {
  const origin = originOf(headersOf(message));
  return { message: stored(origin.topic, message), origin };
}
