import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AmqpCanary } from './amqp-canary.ts';
import { BrokerProcess } from './broker-process.ts';
import { Canary } from './canary.ts';
import type { CountsByProtocol } from './client-queue.ts';
import { History, type Violation } from './history.ts';
import { MemoryLimit } from './memory-limit.ts';
import { SqsCanary } from './sqs-canary.ts';
import { residentBytes } from './storm.ts';
import { Workload } from './workload.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly directory: string;
  readonly onProgress?: (line: string) => void;
}

interface Sample {
  readonly hours: number;
  readonly rssMib: number;
  readonly descriptors: number;
}

export interface SoakResult {
  readonly minutes: number;
  readonly limit: 'control group' | 'heap size';
  readonly stored: number;
  readonly acked: number;
  readonly canaryRounds: number;
  readonly amqpCanaryRounds: number;
  readonly sqsCanaryRounds: number;
  /** Those of AMQP and SQS clients among the messages. */
  readonly ofQueues: CountsByProtocol;
  /** After the first third: the first and last quarter of the rest, and the slope of all of it. */
  readonly rssBeginMib: number;
  readonly rssEndMib: number;
  readonly rssMaxMib: number;
  readonly rssSlopeMibPerHour: number;
  readonly descriptorsMin: number;
  readonly descriptorsMax: number;
  readonly violations: readonly Violation[];
}

const mib = 2 ** 20;
/**
 * Ids are remembered in memory: in 30 minutes the window is full when the measurement begins. It is longer
 * than a publisher waits before it asks again, also on a machine that is suspended for some minutes.
 */
const dedupeWindowMs = 600_000;
const limitBytes = 512 * mib;
const sampleMs = 2_000;
const lookEvery = 15;
/** Memory that may come and go: a larger buffer here, a collection that is due there. */
const growthMibMax = 32;
/** Connections of the canary and of readers, segments that are open just now. */
const descriptorsSpreadMax = 40;

/**
 * Mixed load for a long time under a memory limit: the broker's memory must not grow, and no promise may be
 * broken.
 */
export async function runSoak({ minutes, directory, onProgress }: SoakOptions): Promise<SoakResult> {
  using limit = MemoryLimit.create(limitBytes);
  const dataDirectory = join(directory, 'data');
  mkdirSync(dataDirectory);
  const settings = {
    kind: 'serve' as const,
    dataDirectory,
    workDirectory: directory,
    args: ['--log-level', 'warn'],
    ...(limit === undefined ? { nodeArgs: ['--max-old-space-size=384'] } : { wrapper: limit.wrapper }),
  };
  const broker = new BrokerProcess(settings);
  const history = new History();
  const load = new Workload({ name: '1', directory, rate: 200, history, dedupeWindowMs, hasQueues: true });
  const samples: Sample[] = [];
  const state = { isOver: false };
  try {
    await broker.start();
    await load.start(broker);
    const canary = new Canary(broker.port);
    await canary.prepare([]);
    const amqpCanary = new AmqpCanary(broker.amqpPort, 'guest');
    const sqsCanary = new SqsCanary(broker.sqsPort);
    await sqsCanary.prepare();
    const isOver = (): boolean => state.isOver || broker.end !== undefined;
    const canaryRun = Promise.all([canary, amqpCanary, sqsCanary].map((each) => each.run(isOver)));
    const begin = performance.now();
    const hours = (): number => (performance.now() - begin) / 3_600_000;
    for (let count = 1; hours() < minutes / 60 && broker.end === undefined; count++) {
      await sleep(sampleMs);
      samples.push({
        hours: hours(),
        rssMib: residentBytes(broker.pid) / mib,
        descriptors: readdirSync(`/proc/${broker.pid}/fd`).length,
      });
      if (count % lookEvery !== 0) continue;
      await load.look(broker);
      const { rssMib, descriptors } = samples.at(-1)!;
      if (count % (lookEvery * 4) === 0)
        onProgress?.(
          `${(hours() * 60).toFixed(0)} min, ${rssMib.toFixed(0)} MiB, ${descriptors} descriptors, ${history.counts.stored} messages`,
        );
    }
    state.isOver = true;
    await canaryRun;
    const minutesRun = hours() * 60;
    if (broker.end === undefined) await load.drain(broker);
    else
      history.report('a process ends as documented', `the broker ended with ${broker.end}: ${broker.output}`);
    for (const text of [canary, amqpCanary, sqsCanary].flatMap(({ problems }) => problems))
      history.report('everything is delivered', text);
    await broker.stop();
    const measured = samples.slice(Math.floor(samples.length / 3));
    const quarter = Math.max(1, Math.floor(measured.length / 4));
    const rssBeginMib = median(measured.slice(0, quarter).map(({ rssMib }) => rssMib));
    const rssEndMib = median(measured.slice(-quarter).map(({ rssMib }) => rssMib));
    const descriptors = measured.map((sample) => sample.descriptors);
    const [descriptorsMin, descriptorsMax] = [Math.min(...descriptors), Math.max(...descriptors)];
    if (rssEndMib - rssBeginMib > growthMibMax)
      history.report('memory and descriptors stay flat', `from ${rssBeginMib} to ${rssEndMib} MiB`);
    if (descriptorsMax - descriptorsMin > descriptorsSpreadMax)
      history.report(
        'memory and descriptors stay flat',
        `${descriptorsMin} to ${descriptorsMax} descriptors`,
      );
    return {
      minutes: minutesRun,
      limit: limit === undefined ? 'heap size' : 'control group',
      stored: history.counts.stored,
      acked: history.counts.acked,
      canaryRounds: canary.rounds,
      amqpCanaryRounds: amqpCanary.rounds,
      sqsCanaryRounds: sqsCanary.rounds,
      ofQueues: load.queueCounts,
      rssBeginMib,
      rssEndMib,
      rssMaxMib: Math.max(...samples.map(({ rssMib }) => rssMib)),
      rssSlopeMibPerHour: slope(measured),
      descriptorsMin,
      descriptorsMax,
      violations: history.violations,
    };
  } finally {
    state.isOver = true;
    await load.end();
    await broker.kill();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Of the line through the samples with the least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const meanHours = mean(({ hours }) => hours);
  const meanMib = mean(({ rssMib }) => rssMib);
  const covariance = mean(({ hours, rssMib }) => (hours - meanHours) * (rssMib - meanMib));
  return covariance / mean(({ hours }) => (hours - meanHours) ** 2);
}
