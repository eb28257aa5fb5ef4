import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { recordOf, type Group, type Topic } from '../../src/broker/index.ts';
import type { Case, Sample, Workbench } from './case.ts';
import { Drain, drainPerSecond, publishAll, usedMb, withBroker } from './in-process.ts';

const payloadBytes = 16;
const priorities = 10;
const urgentSamples = 500;
const drainedMessages = 100_000;

/** Publishes so many messages; `priorityOf` has the priority of each. */
function fill(topic: Topic, messages: number, priorityOf: (at: number) => number): Promise<void> {
  const record = recordOf({ value: Buffer.alloc(payloadBytes, 1) });
  const options = Array.from({ length: priorities }, (_, priority) =>
    priority === 0 ? undefined : { priority },
  );
  return publishAll(
    topic,
    messages,
    () => record,
    (at) => options[priorityOf(at)],
  );
}

/** The time from the publish of an urgent message to its delivery, one after the other, past the backlog. */
async function urgentMs(topic: Topic, group: Group): Promise<number> {
  const times: number[] = [];
  let came = (): void => {};
  const consumer = new Drain(group, 1, ({ priority }) => {
    if (priority > 0) came();
  });
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

function measure(
  bench: Workbench,
  ageingMs: number | undefined,
  priorityOf: (at: number) => number,
): Promise<Sample> {
  return withBroker(bench, async (broker) => {
    const topic = await broker.createTopic({
      name: 'bench',
      retention: 'queue',
      priorities,
      ...(ageingMs === undefined ? {} : { ageingMs }),
    });
    const group = await topic.createGroup({ name: 'g', ackWaitMs: 3_600_000 });
    await fill(topic, 10_000, () => 0); // warms up, and fills caches
    const beforeMb = usedMb();
    await fill(topic, bench.settings.backlogMessages, priorityOf);
    await broker.checkpoint();
    const addedMb = usedMb() - beforeMb;
    const latencyMs = await urgentMs(topic, group);
    return { addedMb, latencyMs, perSecond: await drainPerSecond(group, drainedMessages) };
  });
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
    const row = (label: string, priorityOf: (at: number) => number, ageingMs?: number) => ({
      label: `${count}, ${label}`,
      contenders: ['pillarbox' as const],
      metrics,
      roundsMax: 1,
      hasWarmUp: false,
      measure: (_: unknown, bench: Workbench) => measure(bench, ageingMs, priorityOf),
    });
    return [
      row('all of priority 0', () => 0),
      row('one in a hundred urgent', (at) => (at % 100 === 0 ? priorities - 1 : 0)),
      row('all ten priorities alike', (at) => (at * 7) % priorities),
      row('the same with ageing', (at) => (at * 7) % priorities, 3_600_000),
    ];
  },
};
