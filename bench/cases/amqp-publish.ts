import type { Contender } from '../servers/index.ts';
import { publishTo, rabbits, timesRabbit, withQueues } from './amqp-queue.ts';
import { withCores, type Case, type Sample, type Workbench } from './case.ts';
import { endlessMessages, rateOf } from './stream.ts';

const windows = [1, 100, 1000];
const sizes = [1024, 16];
const fanoutQueues = 10;
const fanoutBytes = 1024;

interface Publishes {
  readonly queues: number;
  readonly payloadBytes: number;
  readonly window: number;
  readonly seconds: number;
  /** Through one fanout exchange to all queues, or to each queue in turn. */
  readonly through: 'fanout' | 'default exchange';
}

async function measure(
  contender: Contender,
  bench: Workbench,
  { queues: count, through, ...run }: Publishes,
): Promise<Sample> {
  // Names of one length, so that frames have one size.
  const queues = Array.from({ length: count }, (_, i) => `bench-publish-${`${i}`.padStart(4, '0')}`);
  return withQueues(contender, bench, queues, async ({ server, port, admin }) => {
    const exchange = through === 'fanout' ? 'bench-fanout' : '';
    if (through === 'fanout') await admin.declareFanout(exchange, queues);
    const routingKeys = through === 'fanout' ? [''] : queues;
    return withCores(server, async () => {
      const job = { port, exchange, routingKeys, messages: endlessMessages, ...run };
      const report = await publishTo(queues, job, { admin, bench });
      const copies = through === 'fanout' ? count : 1;
      return {
        sample: {
          rate: rateOf(report) * copies,
          p50Us: report.latency?.p50Us ?? Number.NaN,
          p99Us: report.latency?.p99Us ?? Number.NaN,
        },
        reports: [report],
      };
    });
  });
}

export const amqpPublishCase: Case = {
  id: 'amqp-publish',
  title: 'AMQP: confirmed publishes',
  about:
    'Persistent messages per second from one publisher to one durable queue, with so many unconfirmed at most. Pillarbox and quorum queues sync before a confirm, classic queues do not.',
  rows: () =>
    sizes.flatMap((payloadBytes) =>
      windows.map((window) => ({
        label: `${payloadBytes} B, window ${window}`,
        contenders: rabbits,
        metrics: [
          { key: 'rate', unit: 'msg/s' as const, goals: timesRabbit(5) },
          ...(window === 1
            ? [
                { key: 'p50Us', label: 'median', unit: 'µs' as const },
                { key: 'p99Us', label: '99th percentile', unit: 'µs' as const },
              ]
            : []),
        ],
        hasWarmUp: true,
        measure: (contender, bench, seconds) =>
          measure(contender, bench, {
            queues: 1,
            through: 'default exchange',
            payloadBytes,
            window,
            seconds,
          }),
      })),
    ),
};

export const amqpFanoutCase: Case = {
  id: 'amqp-fanout',
  title: 'AMQP: a fanout',
  about: `Persistent messages of ${fanoutBytes} B to a fanout exchange with ${fanoutQueues} durable queues, 1000 unconfirmed at most: messages that were put into a queue, per second.`,
  rows: () => [
    {
      label: `${fanoutQueues} queues`,
      contenders: rabbits,
      metrics: [{ key: 'rate', unit: 'msg/s', goals: timesRabbit(3) }],
      hasWarmUp: true,
      measure: (contender, bench, seconds) =>
        measure(contender, bench, {
          queues: fanoutQueues,
          through: 'fanout',
          payloadBytes: fanoutBytes,
          window: 1000,
          seconds,
        }),
    },
  ],
};

export const amqpManyQueuesCase: Case = {
  id: 'amqp-many-queues',
  title: 'AMQP: many queues at once',
  about:
    'One publisher writes persistent messages of 1024 B to so many durable queues in turn, 1000 unconfirmed at most. Goal: the last row has at least half the rate of the first.',
  rows: ({ amqpQueues }) =>
    [1, amqpQueues].map((queues) => ({
      label: queues === 1 ? '1 queue' : `${queues} queues`,
      contenders: rabbits,
      metrics: [{ key: 'rate', unit: 'msg/s' }],
      hasWarmUp: true,
      measure: (contender, bench, seconds) =>
        measure(contender, bench, {
          queues,
          through: 'default exchange',
          payloadBytes: 1024,
          window: 1000,
          seconds,
        }),
    })),
};
