import { makeTemporaryDirectory } from '../support/index.ts';
import { parseArgs } from 'node:util';
import { runKillCycles } from './kill-cycles.ts';
import { type Row, finish, skip } from './outcome.ts';
import { injections, runSyncFailure } from './sync-failures.ts';
import type { Violation } from './history.ts';
import { limitsCases, runLimits } from './limits.ts';
import { amqpCanarySteps } from './amqp-canary.ts';
import { canarySteps } from './canary.ts';
import { kafkaCanarySteps } from './kafka-canary.ts';
import { sqsCanarySteps } from './sqs-canary.ts';
import type { CountsByProtocol } from './client-queue.ts';
import { runSoak } from './soak.ts';
import { runStorm } from './storm.ts';
import { mkdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { costlyInputs } from './costly/index.ts';
import { play, waitMsMax } from './costly/play.ts';
import { runPowerLosses } from './power-losses.ts';
import { recordedDiskNeeds } from './recorded-disk.ts';
import { runFullDisk } from './full-disk.ts';
import { missing, missingStrace } from './tools.ts';

// `main.js kill --cycles N --seed S`, …: the runs of docs/reliability.md on a real machine. Each prints one
// table and ends with 1 when a promise was broken.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cycles: { type: 'string' },
    seconds: { type: 'string' },
    minutes: { type: 'string' },
    only: { type: 'string', default: '' },
    each: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

const commands: { readonly [name: string]: () => Promise<void> } = {
  kill: async () => {
    await using directory = await makeTemporaryDirectory('pillarbox-crash-');
    const cycles = Number(values.cycles ?? 100);
    const result = await runKillCycles({ cycles, seed, directory: directory.path, onProgress: progress });
    const rows: Row[] = [
      ['kill -9', result.cycles],
      ...Object.entries(result.moments).map(([moment, count]): Row => [`  ${moment}`, count]),
      ['looks into the restarted broker', result.readings],
      ['messages published', result.published],
      ['publishes acked', result.stored],
      ['deliveries', result.deliveries],
      ['  of these again', result.redelivered],
      ['acks confirmed', result.ackedDeliveries],
      ...rowsOf(result.ofQueues),
      ['seconds', Math.round(result.seconds)],
    ];
    finish(`kill -9 under load, seed ${seed}`, rows, result.violations, result.complaints);
  },
  sync: async () => {
    const reason = missingStrace();
    if (reason !== undefined) return skip('failed syncs', reason);
    const rows: Row[] = [];
    const violations: Violation[] = [];
    for (const injection of injections) {
      await using directory = await makeTemporaryDirectory('pillarbox-sync-');
      const {
        phase,
        end,
        stored,
        ofQueues,
        violations: found,
      } = await runSyncFailure(injection, directory.path);
      const { kind, call, when, error } = injection;
      const how =
        phase === 'never'
          ? 'not reached'
          : phase === 'start'
            ? `at the start: exit code ${end}`
            : end === 'went on'
              ? end
              : `exit code ${end}`;
      rows.push([
        `${kind}: ${call} ${when} = ${error}`,
        `${how}, ${stored} acked, of these ${ofQueues.amqp.stored} by AMQP and ${ofQueues.sqs.stored} by SQS, ${found.length} broken`,
      ]);
      progress(`${rows.at(-1)?.join(': ')}`);
      violations.push(...found);
    }
    finish('a system call fails under load', rows, violations);
  },
  full: async () => {
    const reason = missing('root', 'mount', 'mkfs.ext4', '/dev/loop-control');
    if (reason !== undefined) return skip('full disks', reason);
    const rows: Row[] = [];
    const violations: Violation[] = [];
    for (const fileSystem of ['tmpfs', 'ext4'] as const) {
      for (const diskFreeMin of ['16MiB', '0']) {
        await using directory = await makeTemporaryDirectory('pillarbox-full-');
        const result = await runFullDisk({ fileSystem, diskFreeMin, directory: directory.path });
        const title = `${fileSystem}, disk-free-min ${diskFreeMin}`;
        rows.push(
          [`${title}: publishes acked`, result.stored],
          ['  refused', result.refused],
          ['  with', result.refusal],
          ['  acked by consumers while full', result.drainedWhileFull],
          ['  published after room was made', result.storedAfter],
          ['  of AMQP clients: publishes confirmed', result.ofQueues.amqp.stored],
          ['  of AMQP clients: acked while full', result.ofQueues.amqp.drainedWhileFull],
          ['  of SQS clients: sends answered', result.ofQueues.sqs.stored],
          ['  of SQS clients: deleted while full', result.ofQueues.sqs.drainedWhileFull],
        );
        progress(`${title}: done, ${result.violations.length} broken`);
        violations.push(...result.violations);
      }
    }
    finish('a disk fills', rows, violations);
  },
  power: async () => {
    const reason = missing(...recordedDiskNeeds);
    if (reason !== undefined) return skip('power losses', reason);
    const cycles = Number(values.cycles ?? 200);
    const rows: Row[] = [];
    const violations: Violation[] = [];
    const complaints: string[] = [];
    for (const [kind, share] of [
      ['small', 0.7],
      ['serve', 0.3],
    ] as const) {
      await using directory = await makeTemporaryDirectory('pillarbox-power-');
      const result = await runPowerLosses({
        cycles: Math.round(cycles * share),
        seed,
        kind,
        seconds: 20,
        directory: directory.path,
        onProgress: (line) => progress(`${kind}: ${line}`),
      });
      rows.push(
        [`${kind === 'small' ? 'small files' : 'as installed'}: power losses`, result.cycles],
        ['  writes recorded', result.writes],
        ['  flushes recorded', result.flushes],
        ...Object.entries(result.fates).map(([fate, count]): Row => [`  unflushed writes: ${fate}`, count]),
        ['  acked publishes checked, sum', result.storedChecked],
        ['  confirmed acks checked, sum', result.ackedChecked],
        ...rowsOf(result.queuesChecked),
        ['  seconds', Math.round(result.seconds)],
      );
      violations.push(...result.violations);
      complaints.push(...result.complaints);
    }
    finish(`power losses on ext4, seed ${seed}`, rows, violations, complaints);
  },
  limits: async () => {
    const reason = missing('bash');
    if (reason !== undefined) return skip('limits of the system', reason);
    const rows: Row[] = [];
    const violations: Violation[] = [];
    for (const limits of limitsCases) {
      await using directory = await makeTemporaryDirectory('pillarbox-limits-');
      const { acked, refused, end, problems } = await runLimits(limits, directory.path);
      rows.push([
        `${limits.name}: publishes acked, connections refused, end`,
        `${acked}, ${refused}, ${end}`,
      ]);
      progress(`${limits.name}: done, ${problems.length} broken`);
      violations.push(...problems.map((text): Violation => ({ rule: 'a process ends as documented', text })));
    }
    finish('idle connections under limits of the system', rows, violations);
  },
  storm: async () => {
    if (values.each) return each();
    await using directory = await makeTemporaryDirectory('pillarbox-storm-');
    const seconds = Number(values.seconds ?? 60);
    const result = await runStorm({
      directory: directory.path,
      seed,
      seconds,
      roundsMin: 100,
      only: values.only,
    });
    const rows: Row[] = result.attacks.map(({ name, counts: { connections, bytes } }): Row => {
      return [`${name}: connections, MB`, `${connections}, ${(bytes / 1e6).toFixed(1)}`];
    });
    let slowest = 0;
    const timed = [
      ...canarySteps.map((step) => [`canary ${step}`, result.canary.timesMs[step]] as const),
      ...kafkaCanarySteps.map((step) => [`Kafka canary ${step}`, result.kafkaCanary.timesMs[step]] as const),
      ...amqpCanarySteps.map((step) => [`AMQP canary ${step}`, result.amqpCanary.timesMs[step]] as const),
      ...sqsCanarySteps.map((step) => [`SQS canary ${step}`, result.sqsCanary.timesMs[step]] as const),
    ];
    for (const [what, unsorted] of timed) {
      const times = unsorted.toSorted((a, b) => a - b);
      const at = (share: number): string => (times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1);
      rows.push([
        `${what}: count, p50, p99, slowest ms`,
        `${times.length}, ${at(0.5)}, ${at(0.99)}, ${at(1)}`,
      ]);
      // How soon a new connection is taken is for the table only: see docs/reliability.md.
      if (what !== 'canary connect') slowest = Math.max(slowest, times.at(-1) ?? 0);
    }
    rows.push(
      ["the canaries' slowest operation, ms (goal: below 1000)", slowest.toFixed(0)],
      ['largest resident memory, MiB', result.rssMaxMib.toFixed(0)],
      ['seconds', result.seconds.toFixed(0)],
    );
    const violations = result.problems.map((text): Violation => ({ rule: 'everything is delivered', text }));
    if (slowest >= 1000)
      violations.push({ rule: 'a canary is served within a second', text: `${slowest.toFixed(0)} ms` });
    finish(`a canary in a storm, seed ${seed}`, rows, violations);
  },
  soak: async () => {
    if (process.platform !== 'linux') return skip('the soak', 'it needs /proc');
    await using directory = await makeTemporaryDirectory('pillarbox-soak-');
    const minutes = Number(values.minutes ?? 30);
    const result = await runSoak({ minutes, directory: directory.path, onProgress: progress });
    const { violations, limit, ...figures } = result;
    const rounded = (value: number): string => value.toFixed(Number.isInteger(value) ? 0 : 1);
    const rows: Row[] = [
      ['minutes', rounded(figures.minutes)],
      ['publishes acked', figures.stored],
      ['acks confirmed', figures.acked],
      ...rowsOf(figures.ofQueues),
      ['rounds of a canary', figures.canaryRounds],
      ['rounds of an AMQP canary', figures.amqpCanaryRounds],
      ['rounds of an SQS canary', figures.sqsCanaryRounds],
      ['memory after warm-up, MiB', rounded(figures.rssBeginMib)],
      ['memory at the end, MiB', rounded(figures.rssEndMib)],
      ['most memory, MiB', rounded(figures.rssMaxMib)],
      ['slope after warm-up, MiB an hour', rounded(figures.rssSlopeMibPerHour)],
      ['descriptors after warm-up, least', figures.descriptorsMin],
      ['descriptors after warm-up, most', figures.descriptorsMax],
    ];
    finish(`mixed load under 512 MiB (${limit})`, rows, violations);
  },
};

function rowsOf({ amqp, sqs }: CountsByProtocol): Row[] {
  return [
    ['of AMQP clients: publishes confirmed, acks committed', `${amqp.stored}, ${amqp.acked}`],
    ['of SQS clients: sends answered, deletions answered', `${sqs.stored}, ${sqs.acked}`],
  ];
}

/** Each costly input by itself, against a broker of its own. */
async function each(): Promise<void> {
  const played: { readonly waitedMs: number; readonly row: Row }[] = [];
  const violations: Violation[] = [];
  for (const input of costlyInputs.filter(({ name }) => name.includes(values.only))) {
    await using directory = await makeTemporaryDirectory('pillarbox-costly-');
    const dataDirectory = join(directory.path, 'data');
    await mkdir(dataDirectory);
    const args = ['--log-level', 'error', '--disk-free-min', '0'];
    const { longestMs, bytes, processorMs, answeredMs, answerBytes, outcome } = await play(input, {
      dataDirectory,
      workDirectory: directory.path,
      args,
    });
    // The broker's own part of it, where the system tells: on a busy machine the rest is the machine's.
    const waitedMs = longestMs.processor || Math.max(longestMs.nats, longestMs.kafka, longestMs.amqp);
    const text = [
      `${(bytes / 1e6).toFixed(3)} MB`,
      `others waited ${waitedMs.toFixed(0)} ms (on this machine a PING ${longestMs.nats.toFixed(0)}, an ApiVersions ${longestMs.kafka.toFixed(0)}, a flow ${longestMs.amqp.toFixed(0)})`,
      `${outcome} after ${answeredMs.toFixed(0)} ms with ${(answerBytes / 1e6).toFixed(3)} MB`,
      `${processorMs.toFixed(0)} ms of a processor`,
    ].join(', ');
    played.push({ waitedMs, row: [input.name, text] });
    progress(`${input.name}: ${text}`);
    if (waitedMs >= waitMsMax || outcome === 'no answer' || outcome === 'the broker ended')
      violations.push({ rule: 'others wait no longer for costly inputs', text: `${input.name}: ${text}` });
  }
  const load = `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores at the end`;
  const rows = played.toSorted((a, b) => b.waitedMs - a.waitedMs).map(({ row }) => row);
  finish(`each costly input by itself, the longest waits first (${load})`, rows, violations);
}

const command = commands[positionals[0] ?? ''];
if (command === undefined) {
  process.stderr.write(
    `usage: main.js ${Object.keys(commands).join('|')} [--cycles N] [--seconds N] [--minutes N] [--seed S]\n`,
  );
  process.exit(2);
}
await command();
process.exit();
