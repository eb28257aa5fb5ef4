import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../../src/cli/exit-code.ts';
import { BrokerProcess } from './broker-process.ts';
import type { End } from './child.ts';
import type { CountsByProtocol } from './client-queue.ts';
import { History, type Violation } from './history.ts';
import { Workload } from './workload.ts';

/** A system call that fails once: which, the how manieth of a thread, and in which broker. */
export interface Injection {
  readonly call: 'pwrite64' | 'fdatasync' | 'fsync';
  readonly when: number;
  readonly kind: 'serve' | 'small';
  readonly error: 'EIO' | 'ENOSPC';
}

export interface InjectionResult {
  readonly injection: Injection;
  /** When the failure came, and how the process ended; `went on` when it did not need to end. */
  readonly phase: 'start' | 'load' | 'never';
  readonly end: End | 'went on';
  readonly stored: number;
  /** Those of AMQP and SQS clients among them. */
  readonly ofQueues: CountsByProtocol;
  readonly violations: readonly Violation[];
}

/**
 * For each call, early and late; the real program, and the small broker for the calls that it makes more
 * often.
 */
export const injections: readonly Injection[] = [
  ...[1, 2, 3, 5, 10, 20, 40, 80, 160].map(
    (when) => ({ call: 'pwrite64', when, kind: 'serve', error: 'EIO' }) as const,
  ),
  ...[1, 2, 3].map((when) => ({ call: 'fdatasync', when, kind: 'serve', error: 'EIO' }) as const),
  ...[1, 2].map((when) => ({ call: 'fsync', when, kind: 'serve', error: 'EIO' }) as const),
  ...[3, 30, 100, 150, 200, 250].map(
    (when) => ({ call: 'pwrite64', when, kind: 'small', error: 'EIO' }) as const,
  ),
  ...[1, 2, 3, 4, 6, 8, 12, 16].map(
    (when) => ({ call: 'fdatasync', when, kind: 'small', error: 'EIO' }) as const,
  ),
  ...[1, 2, 3, 4, 6, 8].map((when) => ({ call: 'fsync', when, kind: 'small', error: 'EIO' }) as const),
];

/**
 * Starts that fail may say that storage failed, that the directory cannot be written, or that it cannot be
 * read.
 */
const startFailures: readonly End[] = [exitCode.storageFailed, exitCode.cannotCreate, exitCode.inputOutput];

/** How long an injected failure may take to come. */
const loadMs = 6_000;

/**
 * Makes one system call of a broker under load fail, sees how the broker ends, starts it again without the
 * failure, and checks that everything acked is there and that nothing is stored that was refused.
 */
export async function runSyncFailure(injection: Injection, directory: string): Promise<InjectionResult> {
  const { call, when, kind, error } = injection;
  const dataDirectory = join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true });
  const trace = join(directory, 'trace');
  const wrapper = ['strace', '-f', '-qq', '-o', trace, '-e', `trace=${call}`];
  wrapper.push('-e', `inject=${call}:error=${error}:when=${when}`);
  const args = ['--disk-free-min', '0', '--log-level', 'warn'];
  const settings = { kind, dataDirectory, workDirectory: directory, args };
  const failing = new BrokerProcess({ ...settings, wrapper });
  const history = new History();
  const load = new Workload({ name: '1', directory, rate: 500, history, hasQueues: true });
  let broker: BrokerProcess | undefined;
  try {
    let phase: InjectionResult['phase'] = 'load';
    let end: InjectionResult['end'];
    try {
      await failing.start();
    } catch {
      phase = 'start';
    }
    if (phase === 'load') {
      // The failure may come while the streams are made: the clients are started all the same.
      const started = load.start(failing).catch(() => {});
      end = await Promise.race([
        failing.ended,
        started.then(() => sleep(loadMs)).then(() => 'went on' as const),
      ]);
      if (end === 'went on') {
        const isInjected = (await readTrace(trace)).includes('INJECTED');
        if (!isInjected) phase = 'never';
        // On a busy machine it may have come just now.
        else end = await Promise.race([failing.ended, sleep(loadMs).then(() => 'went on' as const)]);
        await stopTraced(failing);
      }
    } else {
      end = await failing.ended;
      if (kind === 'serve' && !startFailures.includes(end))
        history.report('a process ends as documented', `a failed start ended with ${end}`);
    }
    if (phase === 'load' && end !== 'went on' && end !== exitCode.storageFailed)
      history.report(
        'a process ends as documented',
        `the broker ended with ${end} instead of ${exitCode.storageFailed}`,
      );
    broker = new BrokerProcess(settings, failing);
    await broker.start();
    if (load.clients.length > 0) {
      await load.look(broker);
      await load.drain(broker);
    }
    await broker.stop();
    const stored = history.counts.stored;
    const { queueCounts: ofQueues } = load;
    return { injection, phase, end, stored, ofQueues, violations: history.violations };
  } finally {
    await load.end();
    await stopTraced(failing);
    await broker?.kill();
  }
}

async function readTrace(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Kills the broker itself: strace ends with it. */
async function stopTraced(broker: BrokerProcess): Promise<void> {
  if (broker.end !== undefined) return;
  if (broker.pid > 0) {
    try {
      process.kill(broker.pid, 'SIGKILL');
    } catch {
      // gone in between
    }
    await Promise.race([broker.ended, sleep(2_000)]);
  }
  await broker.kill();
}
