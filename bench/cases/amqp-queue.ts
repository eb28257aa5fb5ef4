import { runLoad, type LoadJob, type LoadReport } from '../load/index.ts';
import { AmqpQueues, type Contender, type ContenderName, type ServerProcess } from '../servers/index.ts';
import type { Goal, Workbench } from './case.ts';
import { endlessSeconds } from './stream.ts';

export const rabbits: readonly ContenderName[] = ['pillarbox', 'rabbitmq', 'rabbitmq, quorum'];

/** At least so many times the rate of RabbitMQ, with both types of queue. */
export function timesRabbit(least: number): readonly Goal[] {
  return [
    { kind: 'ratio', against: 'rabbitmq', least },
    { kind: 'ratio', against: 'rabbitmq, quorum', least },
  ];
}

export function amqpPortOf({ amqpPort }: ServerProcess): number {
  if (amqpPort === undefined) throw new Error('this server does not speak AMQP');
  return amqpPort;
}

/** Runs `work` with a control connection to a server. */
export async function withQueueAdmin<T>(
  contender: Contender,
  server: ServerProcess,
  work: (admin: AmqpQueues) => Promise<T>,
): Promise<T> {
  const type = contender.name === 'rabbitmq, quorum' ? 'quorum' : 'classic';
  const admin = await AmqpQueues.connect(amqpPortOf(server), type);
  try {
    return await work(admin);
  } finally {
    admin.end();
  }
}

/** Runs `work` with durable queues that exist only during it, and waits for the disk afterwards. */
export async function withQueues<T>(
  contender: Contender,
  bench: Workbench,
  queues: readonly string[],
  work: (parts: { server: ServerProcess; port: number; admin: AmqpQueues }) => Promise<T>,
): Promise<T> {
  const server = await bench.server(contender);
  return withQueueAdmin(contender, server, async (admin) => {
    for (const queue of queues) await admin.declare(queue);
    bench.settleDisk();
    try {
      return await work({ server, port: amqpPortOf(server), admin });
    } finally {
      for (const queue of queues) await admin.delete(queue);
      bench.settleDisk();
    }
  });
}

/** Fills a queue, and checks that it holds all of the messages. Fails if that takes more than ten minutes. */
export async function publishAll(
  queue: string,
  job: { readonly port: number; readonly payloadBytes: number; readonly messages: number },
  parts: { readonly admin: AmqpQueues; readonly bench: Workbench },
): Promise<void> {
  const fill = { exchange: '', routingKeys: [queue], window: 1000, seconds: endlessSeconds, ...job };
  const { messages } = await publishTo([queue], fill, parts);
  if (messages < job.messages)
    throw new Error(`${messages} of ${job.messages} messages were confirmed in ${endlessSeconds} s`);
}

/** Publishes with confirms, and checks afterwards that the queues hold all confirmed messages. */
export async function publishTo(
  queues: readonly string[],
  job: Omit<LoadJob & { kind: 'amqp-publisher' }, 'kind'>,
  { admin, bench }: { admin: AmqpQueues; bench: Workbench },
): Promise<LoadReport> {
  const report = await runLoad({ kind: 'amqp-publisher', ...job }, bench.scratch);
  // Through an exchange every message is in every queue.
  const copies = job.exchange === '' ? 1 : queues.length;
  await admin.requireCount(queues, report.messages * copies);
  return report;
}
