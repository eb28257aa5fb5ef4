import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/index.ts';
import { BrokerProcess } from './broker-process.ts';
import { BrokerReader } from './broker-reader.ts';
import { queueGroup, type QueueProtocol, queueProtocols } from './client-queue.ts';
import { History, type Violation } from './history.ts';
import { type FileSystem, SmallDisk } from './small-disk.ts';
import { Workload } from './workload.ts';

export interface FullDiskOptions {
  readonly fileSystem: FileSystem;
  /**
   * The space that the broker is to leave free; 0: it goes on until the system says that the disk is full.
   */
  readonly diskFreeMin: string;
  readonly directory: string;
}

export interface FullDiskResult {
  readonly stored: number;
  readonly refused: number;
  /** The error given to publishers. */
  readonly refusal: string;
  /** Messages that consumers acked while publishes were refused. */
  readonly drainedWhileFull: number;
  /** Publishes acked after there was room again, by the same process. */
  readonly storedAfter: number;
  /**
   * Those of AMQP and SQS clients among them. Publishes of AMQP clients are blocked, not refused; SQS clients
   * send again what the server cannot store now.
   */
  readonly ofQueues: {
    readonly [P in QueueProtocol]: { readonly drainedWhileFull: number; readonly stored: number };
  };
  readonly violations: readonly Violation[];
}

const mib = 2 ** 20;
const patience = { timeoutMs: 120_000, intervalMs: 50 };

/**
 * Fills the disk under a broker, sees publishes refused and consumers go on, gives room, and sees publishes
 * accepted again.
 */
export async function runFullDisk(options: FullDiskOptions): Promise<FullDiskResult> {
  const { fileSystem, diskFreeMin, directory } = options;
  using disk = new SmallDisk(directory, fileSystem, 256 * mib);
  const dataDirectory = join(disk.path, 'data');
  await mkdir(dataDirectory);
  const args = ['--disk-free-min', diskFreeMin, '--log-level', 'warn'];
  const broker = new BrokerProcess({ kind: 'serve', dataDirectory, workDirectory: directory, args });
  const history = new History();
  const load = new Workload({ name: '1', directory, rate: 700, history, consumers: 0, hasQueues: true });
  try {
    await broker.start();
    await load.start(broker);
    const { pid } = broker;
    // Without a mark, the next journal file, of 16 MiB, is the first that does not fit.
    disk.fill((diskFreeMin === '0' ? 15 : 17) * mib);
    const count = (kind: 'refused' | 'stored' | 'acked'): number => {
      load.gather();
      return history.counts[kind];
    };
    await eventually(() => count('refused') > 100, { ...patience, message: 'publishes to be refused' });
    // What NATS clients were told comes by another way than their logs.
    const refusalOf = (): string | undefined =>
      load.publishers.find(({ protocol, refusal }) => protocol === 'nats' && refusal !== '')?.refusal;
    const refusal = await eventually(refusalOf, { ...patience, message: 'a refusal in words' });

    load.addConsumers(broker);
    await eventually(async () => (await backlogOf(broker, load)) === 0 && count('acked') > 0, {
      ...patience,
      message: 'consumers to drain while the disk is full',
    });
    const drainedWhileFull = count('acked');
    const ofQueuesFull = load.queueCounts;
    const { stored: storedBefore, refused: refusedBefore } = {
      stored: count('stored'),
      refused: count('refused'),
    };
    await eventually(() => count('refused') > refusedBefore, {
      ...patience,
      message: 'publishes still to be refused',
    });

    disk.empty();
    const isOpen = (): boolean =>
      count('stored') > storedBefore + 500 &&
      queueProtocols.every((each) => load.queueCounts[each].stored > ofQueuesFull[each].stored);
    await eventually(isOpen, { ...patience, message: 'publishes to be accepted again' });
    const storedAfter = count('stored') - storedBefore;
    await load.drain(broker);
    if (broker.end !== undefined || broker.pid !== pid)
      history.report(
        'a process ends as documented',
        `the broker ended with ${broker.end}:\n${broker.output}`,
      );
    await broker.kill();
    await broker.start();
    await load.lookAtAll(broker);
    const { stored, refused } = history.counts;
    const ofQueue = (each: QueueProtocol): FullDiskResult['ofQueues'][QueueProtocol] => ({
      drainedWhileFull: ofQueuesFull[each].acked,
      stored: load.queueCounts[each].stored,
    });
    const ofQueues = { amqp: ofQueue('amqp'), sqs: ofQueue('sqs') };
    const { violations } = history;
    return { stored, refused, refusal, drainedWhileFull, storedAfter, ofQueues, violations };
  } catch (error) {
    throw new Error(
      `${String(error)}\nfree: ${disk.freeBytes}; broker: ${broker.end ?? 'runs'}\n${broker.output}`,
      {
        cause: error,
      },
    );
  } finally {
    await load.end();
    await broker.kill();
  }
}

async function backlogOf(broker: BrokerProcess, load: Workload): Promise<number> {
  await using reader = await BrokerReader.open(broker.port);
  let backlog = 0;
  for (const { name } of load.streams) backlog += await reader.backlog(name);
  for (const { streamName } of load.queues) backlog += await reader.backlog(streamName, queueGroup);
  return backlog;
}
