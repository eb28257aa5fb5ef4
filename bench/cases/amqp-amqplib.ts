import { runLoad } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { publishAll, rabbits, withQueues } from './amqp-queue.ts';
import { withCores, type Case, type Sample, type Workbench } from './case.ts';
import { endlessMessages, rateOf } from './stream.ts';

const payloadBytes = 1024;
const window = 1000;
const prefetch = 100;
const queue = 'bench-amqplib';

async function measurePublish(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  return withQueues(contender, bench, [queue], ({ server, port, admin }) =>
    withCores(server, async () => {
      const load = { port, queue, payloadBytes, window, seconds, messages: endlessMessages };
      const report = await runLoad({ kind: 'amqplib-publisher', ...load }, bench.scratch);
      await admin.requireCount([queue], report.messages);
      return { sample: { rate: rateOf(report) }, reports: [report] };
    }),
  );
}

async function measureConsume(contender: Contender, bench: Workbench, messages: number): Promise<Sample> {
  return withQueues(contender, bench, [queue], async ({ server, port, admin }) => {
    await publishAll(queue, { port, payloadBytes, messages }, { admin, bench });
    bench.settleDisk();
    return withCores(server, async () => {
      const job = { kind: 'amqplib-consumer', port, queue, prefetch, messages } as const;
      const report = await runLoad(job, bench.scratch);
      await admin.requireCount([queue], 0);
      return { sample: { rate: rateOf(report) }, reports: [report] };
    });
  });
}

export const amqplibCase: Case = {
  id: 'amqp-amqplib',
  title: 'AMQP: amqplib',
  about: `Persistent messages of ${payloadBytes} B per second by amqplib in one process and one durable queue: confirmed publishes with ${window} unconfirmed at most, and a filled queue that is received and acked one by one. amqplib keeps a core busy by itself, so this is its own ceiling if its "load cores" are near 1.`,
  rows: ({ consumeMessages }) => [
    {
      label: `publish, window ${window}`,
      contenders: rabbits,
      metrics: [{ key: 'rate', unit: 'msg/s' }],
      hasWarmUp: true,
      measure: measurePublish,
    },
    {
      label: `consume, prefetch ${prefetch}`,
      contenders: rabbits,
      metrics: [{ key: 'rate', unit: 'msg/s' }],
      hasWarmUp: true,
      measure: (contender, bench) => measureConsume(contender, bench, consumeMessages / 10),
    },
  ],
};
