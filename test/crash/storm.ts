import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AmqpCanary } from './amqp-canary.ts';
import { type StormCounts, type Target, stormToken } from './attack.ts';
import { stormSubject } from './attacks.ts';
import { BrokerProcess } from './broker-process.ts';
import { Canary } from './canary.ts';
import { Child, type End, scriptPath } from './child.ts';
import { KafkaCanary } from './kafka-canary.ts';
import { SqsCanary } from './sqs-canary.ts';

export interface StormOptions {
  readonly directory: string;
  readonly seed: number;
  /** The storm ends when both have passed. */
  readonly seconds: number;
  readonly roundsMin: number;
  /** Only attacks with this text in their names, to find the guilty one. */
  readonly only?: string;
}

export interface StormResult {
  readonly seconds: number;
  readonly attacks: readonly { readonly name: string; readonly counts: StormCounts }[];
  readonly canary: Canary;
  readonly kafkaCanary: KafkaCanary;
  readonly amqpCanary: AmqpCanary;
  readonly sqsCanary: SqsCanary;
  readonly rssMaxMib: number;
  /** How the broker ended when it was told to stop. */
  readonly end: End;
  readonly problems: readonly string[];
}

const mib = 2 ** 20;
/** On a slow machine an attack may take so long to get its first connection; the storm waits for it. */
const everyAttackMs = 60_000;

/**
 * A live server, all attacks on it at once, and canaries that go on publishing and consuming, by NATS, by
 * Kafka, by AMQP and by SQS.
 */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { directory, seed, seconds, roundsMin, only = '' } = options;
  const dataDirectory = join(directory, 'data');
  await mkdir(dataDirectory);
  const args = ['--log-level', 'error', '--disk-free-min', '0', '--nats-token', stormToken];
  args.push('--admin-token', stormToken, '--amqp-user', stormToken, '--amqp-password', stormToken);
  const broker = new BrokerProcess({ kind: 'serve', dataDirectory, workDirectory: directory, args });
  let storm: Child | undefined;
  let attacks: StormResult['attacks'] = [];
  try {
    await broker.start();
    const canary = new Canary(broker.port, stormToken);
    // The flooded stream is bounded: this is about the canary, not about the disk.
    await canary.prepare([{ name: 'FLOOD', subjects: [stormSubject], max_bytes: 32 * mib }]);
    const { kafkaPort } = broker;
    if (kafkaPort === undefined) throw new Error('the server does not listen for Kafka clients');
    const kafkaCanary = new KafkaCanary(kafkaPort);
    await kafkaCanary.prepare();
    const { amqpPort, amqpAdminPort, sqsPort } = broker;
    const amqpCanary = new AmqpCanary(amqpPort, stormToken);
    await amqpCanary.prepare();
    const sqsCanary = new SqsCanary(sqsPort);
    await sqsCanary.prepare();
    const adminPort = broker.adminPort ?? 0;
    const target: Target = {
      natsPort: broker.port,
      adminPort,
      kafkaPort,
      amqpPort,
      amqpAdminPort,
      sqsPort,
    };
    const stormArgs = [scriptPath('./storm-process.js'), JSON.stringify(target), String(seed), only];
    storm = new Child(process.execPath, stormArgs, { ipc: true });
    storm.process.on('message', (counts: StormResult['attacks']) => (attacks = counts));
    const all = [canary, kafkaCanary, amqpCanary, sqsCanary];
    let rssMax = 0;
    const watch = setInterval(() => (rssMax = Math.max(rssMax, residentBytes(broker.pid))), 200);
    const begin = performance.now();
    const haveAllBegun = (): boolean =>
      performance.now() - begin > everyAttackMs ||
      (attacks.length > 0 && attacks.every(({ counts }) => counts.connections > 0));
    const isDone = (): boolean =>
      broker.end !== undefined ||
      (performance.now() - begin > seconds * 1000 &&
        all.every(({ rounds }) => rounds >= roundsMin) &&
        haveAllBegun());
    await Promise.all(all.map((each) => each.run(isDone)));
    clearInterval(watch);
    await sleep(600); // the counts of the last half second
    const problems = all.flatMap((each) => each.problems);
    if (broker.end !== undefined) problems.push(`the broker ended with ${broker.end}: ${broker.output}`);
    await storm.kill();
    const end = await broker.stop();
    if (end !== 0) problems.push(`the stop ended with ${end}: ${broker.output}`);
    const elapsed = (performance.now() - begin) / 1000;
    const canaries = { canary, kafkaCanary, amqpCanary, sqsCanary };
    return { seconds: elapsed, attacks, ...canaries, rssMaxMib: rssMax / mib, end, problems };
  } finally {
    await storm?.kill();
    await broker.kill();
  }
}

/** Resident memory of a process; 0 where the system does not say. */
export function residentBytes(pid: number): number {
  try {
    const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * 4096;
  } catch {
    return 0;
  }
}
