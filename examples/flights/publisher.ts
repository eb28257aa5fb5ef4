import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { subject } from './queue.ts';

/** Publishes in flight. */
const windowSize = 512;
const ackTimeoutMs = 2_000;

/**
 * Publishes records with several in flight, and repeats each until it is acked. A publish whose ack was lost
 * is repeated with the same id, so that the broker stores it once.
 */
export class Publisher {
  /** Records the broker has acked. */
  acked = 0;
  /** Publishes that had to be repeated. */
  repeated = 0;
  /** Acks of messages that the broker already had. */
  duplicates = 0;
  readonly #jetStream: JetStreamClient;
  readonly #records: readonly string[];
  #next = 0;
  #allowed = 0;
  #wake: (() => void) | undefined;

  constructor(connection: NatsConnection, records: readonly string[]) {
    this.#jetStream = jetstream(connection, { timeout: ackTimeoutMs });
    this.#records = records;
  }

  /** Allows the publisher to go on up to `count` records: it must not run far ahead of the workers. */
  allow(count: number): void {
    if (count <= this.#allowed) return;
    this.#allowed = Math.min(count, this.#records.length);
    this.#wake?.();
  }

  /** Resolves when all records are acked. */
  async run(): Promise<void> {
    const lanes = Array.from({ length: windowSize }, () => this.#lane());
    await Promise.all(lanes);
  }

  async #lane(): Promise<void> {
    for (let id = await this.#take(); id !== undefined; id = await this.#take()) await this.#publish(id);
  }

  async #take(): Promise<number | undefined> {
    while (this.#next < this.#records.length) {
      if (this.#next < this.#allowed) return this.#next++;
      await this.#whenAllowed();
    }
    return undefined;
  }

  #allowance: Promise<void> | undefined;

  /** One promise shared by all lanes. */
  #whenAllowed(): Promise<void> {
    this.#allowance ??= new Promise((resolve) => {
      this.#wake = () => {
        this.#allowance = undefined;
        resolve();
      };
    });
    return this.#allowance;
  }

  async #publish(id: number): Promise<void> {
    for (;;) {
      try {
        const ack = await this.#jetStream.publish(subject, this.#records[id], { msgID: String(id) });
        if (ack.duplicate) this.duplicates++;
        this.acked++;
        return;
      } catch {
        // No ack: the broker may have stored the message or not. The id makes it safe to publish again.
        this.repeated++;
        await sleep(50);
      }
    }
  }
}
