import { Load, type LoadReport } from '../load/index.ts';
import { loopbackBytesPerSecond } from '../loopback.ts';
import type { Contender, ContenderName } from '../servers/index.ts';
import type { ServerProcess } from '../servers/index.ts';
import { withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';

export const kafkas: readonly ContenderName[] = ['pillarbox', 'kafka'];
const endless = Number.MAX_SAFE_INTEGER;
/** Requests in flight, the default limit of Kafka clients. */
const window = 5;
const mb = 1e6;

interface Shape {
  readonly payloadBytes: number;
  readonly batchBytes: number;
}

const shapes: readonly (Shape & { readonly leastMbPerSecond?: number })[] = [
  { payloadBytes: 1024, batchBytes: 1_000_000, leastMbPerSecond: 500 },
  { payloadBytes: 1024, batchBytes: 65_536 },
  { payloadBytes: 1024, batchBytes: 16_384 },
  { payloadBytes: 100, batchBytes: 65_536 },
];

function labelOf({ payloadBytes, batchBytes }: Shape): string {
  return `${payloadBytes} B in batches of ${Math.round(batchBytes / 1000)} kB`;
}

export function kafkaPortOf({ kafkaPort }: ServerProcess): number {
  if (kafkaPort === undefined) throw new Error('this server does not speak Kafka');
  return kafkaPort;
}

async function produce(
  bench: Workbench,
  server: ServerProcess,
  run: Shape & { readonly topic: string; readonly seconds: number; readonly requests: number },
): Promise<LoadReport> {
  const access = { port: kafkaPortOf(server), login: server.kafkaLogin };
  const load = Load.start({ kind: 'kafka-producer', ...access, partition: 0, window, ...run }, bench.scratch);
  return withLoads([load], ([producer]) => {
    producer!.go();
    return producer!.report();
  });
}

function bytesPerSecond({ messages, startMs, endMs }: LoadReport, payloadBytes: number): number {
  return (messages * payloadBytes * 1e3) / (endMs - startMs) / mb;
}

async function measureProduce(
  contender: Contender,
  bench: Workbench,
  shape: Shape,
  seconds: number,
): Promise<Sample> {
  const server = await bench.server(contender);
  const topic = `bench-${shape.payloadBytes}-${shape.batchBytes}`;
  bench.settleDisk(); // Kafka leaves its writes in the page cache
  return withCores(server, async () => {
    const report = await produce(bench, server, { ...shape, topic, seconds, requests: endless });
    const rate = (report.messages * 1e3) / (report.endMs - report.startMs);
    return { sample: { rate, bytes: bytesPerSecond(report, shape.payloadBytes) }, reports: [report] };
  });
}

export const kafkaProduceCase: Case = {
  id: 'kafka-produce',
  title: 'Kafka: produce, acks=all, synced',
  about: `Record batches from one producer with ${window} requests under way. What is answered is on disk.`,
  rows: () =>
    shapes.map(({ leastMbPerSecond, ...shape }) => ({
      label: labelOf(shape),
      contenders: kafkas,
      metrics: [
        {
          key: 'bytes',
          label: 'payload',
          unit: 'MB/s',
          goals: [
            { kind: 'ratio', against: 'kafka', least: 1 },
            ...(leastMbPerSecond === undefined ? [] : [{ kind: 'least', value: leastMbPerSecond } as const]),
          ],
        },
        { key: 'rate', label: 'records', unit: 'msg/s' },
      ],
      hasWarmUp: true,
      measure: (contender, bench, seconds) => measureProduce(contender, bench, shape, seconds),
    })),
};

const fetchShape: Shape = { payloadBytes: 1024, batchBytes: 65_536 };
/** A consumer's `fetch.max.bytes`, as the Java client has it by default. */
const fetchBytes = 50 * 1024 * 1024;

async function measureFetch(contender: Contender, bench: Workbench): Promise<Sample> {
  const server = await bench.server(contender);
  const port = kafkaPortOf(server);
  const topic = 'bench-fetch';
  const { backlogBytes } = bench.settings;
  const requests = Math.ceil(backlogBytes / fetchShape.batchBytes);
  // Published once; later turns read the same messages.
  const job = { kind: 'kafka-reader', port, login: server.kafkaLogin, topic, fetchBytes } as const;
  if (!filled.has(server)) {
    await produce(bench, server, { ...fetchShape, topic, seconds: 600, requests });
    filled.add(server);
  }
  const loopback = (await loopbackBytesPerSecond(backlogBytes, bench.scratch)) / mb;
  return withLoads([Load.start(job, bench.scratch)], ([reader]) =>
    withCores(server, async () => {
      reader!.go();
      const report = await reader!.report();
      const bytes = bytesPerSecond(report, fetchShape.payloadBytes);
      return { sample: { bytes, loopback, share: bytes / loopback }, reports: [report] };
    }),
  );
}

const filled = new WeakSet<ServerProcess>();

export const kafkaFetchCase: Case = {
  id: 'kafka-fetch',
  title: 'Kafka: fetch of a backlog',
  about:
    'One consumer reads a partition from its beginning, far more than the broker keeps in memory. Bare loopback: in the same turn, as many bytes from one process to another, that nobody looks at.',
  rows: () => [
    {
      label: labelOf(fetchShape),
      contenders: kafkas,
      metrics: [
        { key: 'bytes', label: 'payload', unit: 'MB/s', goals: [{ kind: 'least', value: 1000 }] },
        { key: 'loopback', label: 'bare loopback', unit: 'MB/s' },
        { key: 'share', label: 'payload ÷ bare loopback', unit: '×' },
      ],
      hasWarmUp: true,
      measure: (contender, bench) => measureFetch(contender, bench),
    },
  ],
};
