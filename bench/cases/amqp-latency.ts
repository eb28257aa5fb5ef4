import { runLoad } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { rabbits, withQueues } from './amqp-queue.ts';
import { withCores, type Case, type Sample, type Workbench } from './case.ts';
import { rateOf } from './stream.ts';

const payloadBytes = 1024;
const rate = 20_000;
const queue = 'bench-latency';

async function measure(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  return withQueues(contender, bench, [queue], ({ server, port }) =>
    withCores(server, async () => {
      const job = { kind: 'amqp-paced-publisher', port, queue, payloadBytes, rate, seconds } as const;
      const report = await runLoad(job, bench.scratch);
      const { p50Us, p99Us } = report.latency!;
      const sample = { rate: rateOf(report), p50Ms: p50Us / 1e3, p99Ms: p99Us / 1e3 };
      return { sample, reports: [report] };
    }),
  );
}

export const amqpLatencyCase: Case = {
  id: 'amqp-latency',
  title: 'AMQP: latency at a rate',
  about: `One publisher sends ${rate.toLocaleString('en')} persistent messages of ${payloadBytes} B per second to a durable queue: time from when each was due until its confirm. A rate below that shows that the server does not keep up.`,
  rows: () => [
    {
      label: `${rate.toLocaleString('en')} msg/s`,
      contenders: rabbits,
      metrics: [
        { key: 'p50Ms', label: 'median', unit: 'ms' },
        { key: 'p99Ms', label: '99th percentile', unit: 'ms', goals: [{ kind: 'most', value: 5 }] },
        { key: 'rate', unit: 'msg/s' },
      ],
      hasWarmUp: true,
      measure,
    },
  ],
};
