import type { Contender } from '../servers/index.ts';
import { withCores, type Case, type Goal, type Sample, type Workbench } from './case.ts';
import { sendTo, sqsServers, timesDurable, withSqsQueue } from './sqs-queue.ts';
import { endlessMessages, rateOf } from './stream.ts';

const payloadBytes = 100;
const atLeast = (value: number): readonly Goal[] => [{ kind: 'least', value }];

const shapes = [
  { batch: 1, window: 1, goals: [] },
  { batch: 1, window: 16, goals: atLeast(15_000) },
  { batch: 1, window: 64, goals: atLeast(15_000) },
  { batch: 10, window: 16, goals: atLeast(100_000) },
] as const;

async function measure(
  contender: Contender,
  bench: Workbench,
  shape: { readonly batch: number; readonly window: number; readonly seconds: number },
): Promise<Sample> {
  const server = await bench.server(contender);
  return withSqsQueue({ server, bench }, (queue) =>
    withCores(server, async () => {
      const load = { groups: 0, payloadBytes, messages: endlessMessages, ...shape };
      const report = await sendTo(queue, bench, { kind: 'sqs-sender', ...load });
      const { p50Us = Number.NaN, p99Us = Number.NaN } = report.latency ?? {};
      return { sample: { rate: rateOf(report), p50Us, p99Us }, reports: [report] };
    }),
  );
}

export const sqsSendCase: Case = {
  id: 'sqs-send',
  title: 'SQS: sends',
  about: `Messages of ${payloadBytes} B per second to one standard queue, over raw keep-alive connections with one request under way on each. Pillarbox and fauxqs with SQLite sync before they answer; ElasticMQ with H2 syncs some time later.`,
  rows: () =>
    shapes.map(({ batch, window, goals }) => ({
      label: `${batch === 1 ? 'SendMessage' : `SendMessageBatch of ${batch}`}, ${window} under way`,
      contenders: sqsServers,
      metrics: [
        { key: 'rate', unit: 'msg/s' as const, goals: [...goals, ...timesDurable(5)] },
        ...(window === 1
          ? [
              { key: 'p50Us', label: 'median', unit: 'µs' as const },
              { key: 'p99Us', label: '99th percentile', unit: 'µs' as const },
            ]
          : []),
      ],
      hasWarmUp: true,
      measure: (contender, bench, seconds) => measure(contender, bench, { batch, window, seconds }),
    })),
};

async function measureSdk(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  const server = await bench.server(contender);
  return withSqsQueue({ server, bench }, (queue) =>
    withCores(server, async () => {
      const load = { payloadBytes, window: sdkWindow, seconds, messages: endlessMessages };
      const report = await sendTo(queue, bench, { kind: 'sqs-sdk-sender', ...load });
      return { sample: { rate: rateOf(report) }, reports: [report] };
    }),
  );
}

const sdkWindow = 16;

export const sqsSdkCase: Case = {
  id: 'sqs-sdk',
  title: 'SQS: sends by the AWS SDK',
  about: `Messages of ${payloadBytes} B per second that one process sends with @aws-sdk/client-sqs, one SendMessage each. The SDK keeps a core busy by itself, so this is mostly its own ceiling.`,
  rows: () => [
    {
      label: `SendMessage, ${sdkWindow} under way`,
      contenders: sqsServers,
      metrics: [{ key: 'rate', unit: 'msg/s', goals: timesDurable(5) }],
      hasWarmUp: true,
      measure: measureSdk,
    },
  ],
};
