import { AckPolicy, RetentionPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { hashOf, payloadOf } from './payload.ts';

/** The steps of a canary's round; each is timed. */
export const canarySteps = ['connect', 'request', 'publish', 'consume', 'ack'] as const;
export type CanaryStep = (typeof canarySteps)[number];

/** Long, because slowness is what is measured. */
const timeoutMs = 600_000;
const connectEveryMs = 100;
const stream = 'CANARY';
const group = 'canary';

/**
 * A canary is an ordinary client among hostile ones: it measures how long each step takes, and checks that it
 * gets the messages it published.
 */
export class Canary {
  readonly timesMs: Record<CanaryStep, number[]> = {
    connect: [],
    request: [],
    publish: [],
    consume: [],
    ack: [],
  };
  readonly problems: string[] = [];
  rounds = 0;
  readonly #port: number;
  readonly #token: string | undefined;
  #connectBegin: number | undefined;

  constructor(port: number, token?: string) {
    this.#port = port;
    this.#token = token;
  }

  async prepare(streams: readonly { name: string; subjects: string[]; max_bytes: number }[]): Promise<void> {
    const nc = await this.#connect();
    const jsm = await jetstreamManager(nc, { timeout: timeoutMs });
    for (const config of streams) await jsm.streams.add(config);
    await jsm.streams.add({ name: stream, subjects: ['canary.*'], retention: RetentionPolicy.Workqueue });
    await jsm.consumers.add(stream, { durable_name: group, ack_policy: AckPolicy.Explicit });
    await nc.close();
  }

  /**
   * Rounds until `isDone`, and new connections beside them. An operation that fails is a problem, and the
   * canary goes on.
   */
  async run(isDone: () => boolean): Promise<void> {
    const connects = this.#keepConnecting(isDone);
    while (!isDone())
      await this.#rounds(isDone).catch((error: unknown) => void this.problems.push(String(error)));
    // One that is under way counts with the time it took so far.
    if (this.#connectBegin !== undefined) this.timesMs.connect.push(performance.now() - this.#connectBegin);
    else await connects;
  }

  async #keepConnecting(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      this.#connectBegin = performance.now();
      const nc = await this.#connect().catch(() => undefined);
      if (isDone()) {
        this.#connectBegin = undefined;
        return nc?.close();
      }
      this.timesMs.connect.push(performance.now() - this.#connectBegin);
      this.#connectBegin = undefined;
      await nc?.close();
      await sleep(connectEveryMs);
    }
  }

  async #rounds(isDone: () => boolean): Promise<void> {
    const nc = await this.#connect();
    try {
      nc.subscribe('canary-echo', { callback: (_, message) => void message.respond(message.data) });
      const js = jetstream(nc, { timeout: timeoutMs });
      const consumer = await js.consumers.get(stream, group);
      while (!isDone()) {
        const id = `canary-${++this.rounds}`;
        const payload = payloadOf(id).subarray(0, 1000);
        await this.#time('request', () => nc.request('canary-echo', id, { timeout: timeoutMs }));
        await this.#time('publish', () => js.publish('canary.a', payload, { msgID: id }));
        const message = await this.#time('consume', () => consumer.next({ expires: timeoutMs }));
        if (message === null || hashOf(message.data) !== hashOf(payload))
          this.problems.push(`${id} did not come back`);
        else if (!(await this.#time('ack', () => message.ackAck({ timeout: timeoutMs }))))
          this.problems.push(`the ack of ${id} was not confirmed`);
      }
    } finally {
      await nc.close();
    }
  }

  #connect(): ReturnType<typeof connect> {
    return connect({
      servers: `127.0.0.1:${this.#port}`,
      name: 'canary',
      ...(this.#token === undefined ? {} : { token: this.#token }),
      reconnect: false,
      timeout: timeoutMs,
    });
  }

  async #time<T>(step: CanaryStep, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.timesMs[step].push(performance.now() - begin);
    }
  }
}
