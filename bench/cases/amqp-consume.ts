import { Load } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { publishAll, rabbits, timesRabbit, withQueues } from './amqp-queue.ts';
import { withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { rateOf } from './stream.ts';

const payloadBytes = 128;
const queue = 'bench-consume';

async function measure(
  contender: Contender,
  bench: Workbench,
  prefetch: number,
  messages: number,
): Promise<Sample> {
  return withQueues(contender, bench, [queue], async ({ server, port, admin }) => {
    await publishAll(queue, { port, payloadBytes, messages }, { admin, bench });
    bench.settleDisk();
    const job = { kind: 'amqp-consumer', port, queue, prefetch, messages } as const;
    return withLoads([Load.start(job, bench.scratch)], async ([consumer]) => {
      const sample = await withCores(server, async () => {
        consumer!.go();
        const report = await consumer!.report();
        return { sample: { rate: rateOf(report) }, reports: [report] };
      });
      // Nothing is left for another consumer.
      await admin.requireCount([queue], 0);
      return sample;
    });
  });
}

export const amqpConsumeCase: Case = {
  id: 'amqp-consume',
  title: 'AMQP: consume with acks',
  about: `Persistent messages of ${payloadBytes} B received and acked one by one per second by one consumer of a filled durable queue, until it is empty.`,
  rows: ({ consumeMessages }) =>
    [
      { prefetch: 100, messages: consumeMessages / 5 },
      { prefetch: 1, messages: consumeMessages / 50 },
    ].map(({ prefetch, messages }) => ({
      label: `prefetch ${prefetch}`,
      contenders: rabbits,
      metrics: [{ key: 'rate', unit: 'msg/s', goals: timesRabbit(3) }],
      hasWarmUp: true,
      measure: (contender, bench) => measure(contender, bench, prefetch, messages),
    })),
};
