import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Broker,
  recordOf,
  RealFiles,
  type Consumer,
  type Delivery,
  type Group,
  type PublishListener,
  type Topic,
} from '../../src/broker/index.ts';
import type { Case, Sample, Workbench } from './case.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const payloadBytes = 16;
const window = 4096;
const priorities = 10;
const urgentSamples = 500;
const drainedMessages = 100_000;

/** A consumer that acks everything it gets, and knows when an urgent message came. */
class Drain implements Consumer {
  readonly creditBytes = Infinity;
  readonly #group: Group;
  readonly #urgentCame: () => void;
  credit: number;
  received = 0;

  constructor(group: Group, credit: number, urgentCame: () => void) {
    this.#group = group;
    this.credit = credit;
    this.#urgentCame = urgentCame;
  }

  receive({ record: { offset }, partition, priority }: Delivery): void {
    this.received++;
    this.credit--;
    queueMicrotask(() => this.#group.ack(partition, offset));
    if (priority > 0) this.#urgentCame();
  }

  ended(): void {}
}

/** Publishes so many messages; `priorityOf` has the priority of each. */
function fill(topic: Topic, messages: number, priorityOf: (at: number) => number): Promise<void> {
  const record = recordOf({ value: Buffer.alloc(payloadBytes, 1) });
  return new Promise((resolve, reject) => {
    let published = 0;
    let acked = 0;
    const publish = (): void => {
      const priority = priorityOf(published++);
      record.timestampMs = 0;
      topic.publish(record, priority === 0 ? undefined : { priority }, listener, undefined);
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

/** Memory of objects and buffers, without garbage. */
function usedMb(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

/** The time from the publish of an urgent message to its delivery, one after the other, past the backlog. */
async function urgentMs(topic: Topic, group: Group): Promise<number> {
  const times: number[] = [];
  let came = (): void => {};
  const consumer = new Drain(group, 1, () => came());
  group.attach(consumer);
  while (consumer.received === 0) await delay(1);
  for (let i = 0; i < urgentSamples; i++) {
    const delivered = new Promise<void>((resolve) => (came = resolve));
    const startMs = performance.now();
    await topic.send({ value: 'urgent' }, { priority: priorities - 1 });
    consumer.credit = 1;
    group.wake(consumer);
    await delivered;
    times.push(performance.now() - startMs);
  }
  group.detach(consumer);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

async function drainPerSecond(group: Group): Promise<number> {
  const consumer = new Drain(group, drainedMessages, () => {});
  const startMs = performance.now();
  group.attach(consumer);
  while (consumer.received < drainedMessages) await delay(1);
  group.detach(consumer);
  return (drainedMessages / (performance.now() - startMs)) * 1e3;
}

async function measure(bench: Workbench, priorityOf: (at: number) => number): Promise<Sample> {
  const { scratch, settings } = bench;
  const directory = scratch.makeDirectory();
  const broker = await Broker.open({ dir: directory, files: new RealFiles() });
  try {
    const topic = await broker.createTopic({ name: 'bench', retention: 'queue', priorities });
    const group = await topic.createGroup({ name: 'g', ackWaitMs: 3_600_000 });
    await fill(topic, 10_000, () => 0); // warms up, and fills caches
    const beforeMb = usedMb();
    await fill(topic, settings.backlogMessages, priorityOf);
    await broker.checkpoint();
    const addedMb = usedMb() - beforeMb;
    const latencyMs = await urgentMs(topic, group);
    return { addedMb, latencyMs, perSecond: await drainPerSecond(group) };
  } finally {
    await broker.close();
    scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

const metrics = [
  { key: 'addedMb', label: 'added', unit: 'MB' },
  { key: 'latencyMs', label: 'an urgent one, from publish to delivery', unit: 'ms' },
  { key: 'perSecond', label: 'delivered and acked', unit: 'msg/s' },
] as const;

export const priorityCase: Case = {
  id: 'priority',
  title: 'Urgent messages before a backlog',
  about: `Messages of ${payloadBytes} B in a queue with ${priorities} priorities, in the process of the benchmark. Added: heap and buffers, after the backlog was stored. An urgent one: the median of ${urgentSamples}, each published on its own while the backlog waits. Delivered: the first ${drainedMessages.toLocaleString('en')} of the backlog.`,
  rows: ({ backlogMessages }) => {
    const count = `${backlogMessages.toLocaleString('en')} messages`;
    const row = (label: string, priorityOf: (at: number) => number) => ({
      label: `${count}, ${label}`,
      contenders: ['pillarbox' as const],
      metrics,
      roundsMax: 1,
      hasWarmUp: false,
      measure: (_: unknown, bench: Workbench) => measure(bench, priorityOf),
    });
    return [
      row('all of priority 0', () => 0),
      row('one in a hundred urgent', (at) => (at % 100 === 0 ? priorities - 1 : 0)),
      row('all ten priorities alike', (at) => (at * 7) % priorities),
    ];
  },
};
