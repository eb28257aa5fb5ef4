import { runLoad, type LoadJob, type LoadReport } from '../load/index.ts';
import { SqsQueues, type ContenderName, type ServerProcess } from '../servers/index.ts';
import type { Goal, Workbench } from './case.ts';

export const sqsServers: readonly ContenderName[] = [
  'pillarbox',
  'fauxqs',
  'fauxqs, SQLite',
  'elasticmq',
  'elasticmq, H2',
];

/** At least so many times the rate of the emulators that keep their messages. */
export function timesDurable(least: number): readonly Goal[] {
  return [
    { kind: 'ratio', against: 'fauxqs, SQLite', least },
    { kind: 'ratio', against: 'elasticmq, H2', least },
  ];
}

export interface SqsQueue {
  readonly port: number;
  readonly queueUrl: string;
  readonly admin: SqsQueues;
}

/** Runs `work` with a queue that exists only during it, and waits for the disk afterwards. */
export async function withSqsQueue<T>(
  { server, bench, kind }: { server: ServerProcess; bench: Workbench; kind?: 'standard' | 'FIFO' },
  work: (queue: SqsQueue) => Promise<T>,
): Promise<T> {
  const { sqsPort: port } = server;
  if (port === undefined) throw new Error('this server does not speak SQS');
  const admin = new SqsQueues(port);
  try {
    const queueUrl = await admin.create(kind);
    bench.settleDisk();
    const result = await work({ port, queueUrl, admin });
    await admin.delete(queueUrl);
    return result;
  } finally {
    bench.settleDisk();
  }
}

/** Sends messages, and checks afterwards that the queue has all of them. */
export async function sendTo(
  { port, queueUrl, admin }: SqsQueue,
  bench: Workbench,
  job:
    | Omit<LoadJob & { kind: 'sqs-sender' }, 'port' | 'queueUrl'>
    | Omit<LoadJob & { kind: 'sqs-sdk-sender' }, 'port' | 'queueUrl'>,
): Promise<LoadReport> {
  const report = await runLoad({ ...job, port, queueUrl }, bench.scratch);
  await admin.requireCount(queueUrl, { visible: report.messages, inFlight: 0 });
  return report;
}

/** Messages in batches, many at once, as fast as it goes. */
export const fill = { kind: 'sqs-sender', batch: 10, window: 16, groups: 0 } as const;
