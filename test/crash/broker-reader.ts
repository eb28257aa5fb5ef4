import {
  AckPolicy,
  type JetStreamManager,
  RetentionPolicy,
  jetstream,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { type NatsConnection, TimeoutError, connect, nanos } from '@nats-io/transport-node';
import type { Kept, Reading } from './checker.ts';
import type { Sighting } from './history.ts';
import { hashOf, idOf } from './payload.ts';

/** The group that consumes a stream in these runs. */
export const groupName = 'g';
const answerTimeoutMs = 20_000;
const batchMax = 500;
const notFound = 404;
/** A message delivered to a consumer that is gone comes again after this time. */
const ackWaitMs = 1_000;

/** A look into the broker with a client of its own. */
export class BrokerReader implements AsyncDisposable {
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;

  private constructor(nc: NatsConnection, jsm: JetStreamManager) {
    this.#nc = nc;
    this.#jsm = jsm;
  }

  static async open(port: number): Promise<BrokerReader> {
    const nc = await connect({ servers: `127.0.0.1:${port}`, name: 'reader', reconnect: false });
    return new BrokerReader(nc, await jetstreamManager(nc, { timeout: answerTimeoutMs, checkAPI: false }));
  }

  /** Creates a stream and its group. */
  async createStream(name: string, kept: Kept, dedupeWindowMs?: number): Promise<void> {
    await this.createStreamAlone(name, kept, dedupeWindowMs);
    await this.#jsm.consumers.add(name, {
      durable_name: groupName,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: 5_000,
    });
  }

  async createStreamAlone(name: string, kept: Kept, dedupeWindowMs: number = 600_000): Promise<void> {
    await this.#jsm.streams.add({
      name,
      subjects: [`${name}.>`],
      retention: kept === 'all' ? RetentionPolicy.Limits : RetentionPolicy.Workqueue,
      duplicate_window: nanos(dedupeWindowMs),
      allow_direct: true,
    });
  }

  async deleteStream(name: string): Promise<void> {
    await this.#jsm.streams.delete(name);
  }

  /** Names of all streams. */
  async streams(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.#jsm.streams.names()) names.push(name);
    return names;
  }

  async lastSequence(stream: string): Promise<number> {
    return (await this.#jsm.streams.info(stream)).state.last_seq;
  }

  /**
   * Everything from `from` on that is there when the call begins. `payloadIn` makes payloads of what is
   * stored.
   */
  async read(
    stream: string,
    from: number,
    payloadIn: (stored: Uint8Array) => Uint8Array = (stored) => stored,
  ): Promise<Reading> {
    const to = await this.lastSequence(stream);
    const messages: Sighting[] = [];
    let patienceEnd = performance.now() + answerTimeoutMs;
    for (let next = from; next <= to;) {
      let count = 0;
      const batch = await this.#jsm.direct.getBatch(stream, { seq: next, batch: batchMax });
      try {
        for await (const { seq, subject, data: stored } of batch) {
          const data = payloadIn(stored);
          count++;
          next = seq + 1;
          if (seq <= to) messages.push({ stream, seq, subject, id: idOf(data), hash: hashOf(data) });
        }
      } catch (error) {
        // The client waits for 5 s only, and a busy machine may take longer: the batch is asked for again.
        if (error instanceof TimeoutError && performance.now() < patienceEnd) continue;
        // Nothing from there on: a queue with all messages acked.
        if ((error as { code?: unknown }).code !== notFound) throw error;
      }
      patienceEnd = performance.now() + answerTimeoutMs;
      // The client ends a batch without a word when the connection goes.
      if (this.#nc.isClosed()) throw new Error('the broker ended while it was read');
      if (count === 0) break;
    }
    return { stream, from, to, messages };
  }

  async hasGroup(stream: string, group: string = groupName): Promise<boolean> {
    return this.#jsm.consumers.info(stream, group).then(
      () => true,
      () => false,
    );
  }

  /** The messages that the group still has to deliver, and those that wait for acks. */
  async backlog(stream: string, group: string = groupName): Promise<number> {
    const info = await this.#jsm.consumers.info(stream, group);
    return info.num_pending + info.num_ack_pending;
  }

  /** Takes everything that the group delivers, and acks nothing. Returns the places of the messages. */
  async takePending(
    stream: string,
    group: string = groupName,
    placeIn: (message: JsMsg) => number = ({ seq }) => seq,
  ): Promise<number[]> {
    const consumer = await jetstream(this.#nc, { timeout: answerTimeoutMs }).consumers.get(stream, group);
    const taken = new Set<number>();
    const { num_pending, num_ack_pending } = await consumer.info();
    for (const deadline = performance.now() + answerTimeoutMs; performance.now() < deadline;) {
      const left = num_pending + num_ack_pending - taken.size;
      if (left <= 0) break;
      for await (const message of await consumer.fetch({ max_messages: Math.min(left, 1000), expires: 1000 }))
        taken.add(placeIn(message));
    }
    return [...taken];
  }

  /** Publishes a message once more; says whether the broker knew it, and where it is. */
  async publishAgain(
    subject: string,
    id: string,
    payload: Uint8Array,
  ): Promise<{ seq: number; duplicate: boolean }> {
    const js = jetstream(this.#nc, { timeout: answerTimeoutMs });
    return js.publish(subject, payload, { msgID: id, retries: 0 });
  }

  get isClosed(): boolean {
    return this.#nc.isClosed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nc.close();
  }
}
