import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Broker,
  RealFiles,
  type Consumer,
  type Delivery,
  type Group,
  type PublishListener,
  type PublishOptions,
  type Topic,
} from '../../src/broker/index.ts';
import type { Record } from '../../src/log/index.ts';
import type { Workbench } from './case.ts';

/* A broker in the process of the benchmark, for figures of the model without a protocol. */

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Publishes that wait for their answers at once. */
const window = 4096;

/** Memory of objects and buffers, without garbage. */
export function usedMb(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

/** Opens a broker on an empty directory, on real files, and removes both afterwards. */
export async function withBroker<T>(bench: Workbench, work: (broker: Broker) => Promise<T>): Promise<T> {
  const directory = bench.scratch.makeDirectory();
  const broker = await Broker.open({ dir: directory, files: new RealFiles() });
  const keepsAlive = setInterval(() => {}, 1000); // the timers of a broker do not
  try {
    return await work(broker);
  } finally {
    clearInterval(keepsAlive);
    await broker.close();
    bench.scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

/** Publishes so many messages; resolves when all are stored. */
export function publishAll(
  topic: Topic,
  messages: number,
  recordAt: (at: number) => Record,
  optionsAt: (at: number) => PublishOptions | undefined = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let published = 0;
    let acked = 0;
    const publish = (): void => {
      const at = published++;
      const record = recordAt(at);
      record.timestampMs = 0;
      topic.publish(record, optionsAt(at), listener, undefined);
    };
    const listener: PublishListener<undefined> = {
      published: () => {
        if (++acked === messages) resolve();
        else if (published < messages) publish();
      },
      refused: (_, error) => reject(error),
    };
    for (let i = 0; i < Math.min(window, messages); i++) publish();
  });
}

/** A consumer that acks all that it gets, each run of the group at once. */
export class Drain implements Consumer {
  readonly creditBytes: number = Infinity;
  readonly #group: Group;
  readonly #onDelivery: (delivery: Delivery) => void;
  credit: number;
  received = 0;

  constructor(group: Group, credit: number, onDelivery: (delivery: Delivery) => void = () => {}) {
    this.#group = group;
    this.credit = credit;
    this.#onDelivery = onDelivery;
  }

  receive(delivery: Delivery): void {
    const { record, partition } = delivery;
    const { offset } = record;
    this.received++;
    this.credit--;
    queueMicrotask(() => this.#group.ack(partition, offset));
    this.#onDelivery(delivery);
  }

  ended(): void {}
}

/** How many messages a second one consumer of the group gets and acks. */
export async function drainPerSecond(group: Group, messages: number): Promise<number> {
  const consumer = new Drain(group, messages);
  const startMs = performance.now();
  group.attach(consumer);
  while (consumer.received < messages) await delay(1);
  group.detach(consumer);
  return (messages / (performance.now() - startMs)) * 1e3;
}
