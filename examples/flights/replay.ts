import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerProcess } from './broker-process.ts';
import { tally, type Tally } from './check.ts';
import type { FlightsOptions } from './options.ts';
import type { Progress } from './progress.ts';
import { Publisher } from './publisher.ts';
import { connectTo, createQueue, queueState } from './queue.ts';
import { loadRecords } from './records.ts';
import { WorkerProcess } from './worker-process.ts';

export interface FlightsResult extends Tally {
  readonly records: number;
  /** Messages ever stored in the stream. */
  readonly stored: number;
  readonly repeated: number;
  readonly duplicates: number;
  /** Records handled before the worker and the broker were killed. */
  readonly workerKilledAt: number;
  readonly brokerKilledAt: number;
  /** From the kill until the broker was listening again. */
  readonly restartMs: number;
  readonly ms: number;
}

/** Shares of the records after which the worker and the broker are killed. */
const workerDiesAt = 0.3;
const brokerDiesAt = 0.6;

/** Runs the example: broker, workers, publisher, the two kills, and the count. */
export async function replay(
  options: FlightsOptions,
  dir: string,
  progress: Progress,
): Promise<FlightsResult> {
  const records = await loadRecords(options.records);
  const startMs = performance.now();
  const broker = new BrokerProcess(dir, options.natsServer);
  const workers: WorkerProcess[] = [];
  const killAll = (): void => {
    broker.killNow();
    for (const worker of workers) worker.killNow();
  };
  process.prependOnceListener('exit', killAll);
  try {
    await broker.start();
    const connection = await connectTo(broker.port, 'publisher');
    await createQueue(connection);

    const publisher = new Publisher(connection, records);
    // The publisher stays a little ahead of the workers, so that both are busy when the broker is killed.
    const ahead = Math.max(64, Math.floor(records.length / 8));
    const handled = (): number => workers.reduce((sum, worker) => sum + worker.handled, 0);
    const onProgress = (): void => {
      progress.update(Math.min(handled(), records.length));
      publisher.allow(handled() + ahead);
    };
    for (let number = 1; number <= options.workers; number++) {
      const name = `worker-${number}`;
      workers.push(new WorkerProcess(name, broker.port, join(dir, `${name}.log`), onProgress));
    }
    publisher.allow(ahead);
    const publishing = publisher.run();

    const [victim] = workers;
    await until(() => handled() >= records.length * workerDiesAt);
    await victim!.kill();
    const workerKilledAt = handled();
    progress.say(`killed ${victim!.name} after ${workerKilledAt.toLocaleString('en')} records`);

    await until(() => handled() >= records.length * brokerDiesAt);
    const brokerKilledAt = handled();
    const killedMs = performance.now();
    await broker.kill();
    await broker.start();
    const restartMs = performance.now() - killedMs;
    progress.say(
      `killed the broker after ${brokerKilledAt.toLocaleString('en')} records; back after ${Math.round(restartMs)} ms`,
    );

    await publishing;
    let state = await queueState(connection);
    for (; state.left > 0; state = await queueState(connection)) await sleep(50);
    for (const worker of workers.slice(1)) await worker.stop();
    await connection.close();
    await broker.stop();
    const { repeated, duplicates } = publisher;
    return {
      records: records.length,
      stored: state.stored,
      ...(await tally(
        records,
        workers.map(({ logPath }) => logPath),
      )),
      repeated,
      duplicates,
      workerKilledAt,
      brokerKilledAt,
      restartMs,
      ms: performance.now() - startMs,
    };
  } finally {
    process.off('exit', killAll);
    killAll();
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}
