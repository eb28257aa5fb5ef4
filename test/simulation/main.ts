import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { exhaust, playCase, type Case, type FailedCase, type Share } from './exhaustive.ts';
import { historyOf, reportFailure } from './failure-report.ts';
import { generate } from './generator.ts';
import { catchStrays, run } from './run.ts';
import { playSeeds, playSeedsInJobs, type Seeds, type Tally } from './seeds.ts';

const usage = `Plays whole lives of the broker on a simulated machine and checks what its clients saw.

  npm run sim -- --seeds 1000 [--from 1] [--jobs 2] [--keep-going]
  npm run sim -- --replay SEED
  npm run sim -- --exhaustive [--depth 2] [--share 1/8] [--jobs 2]
  npm run sim -- --case '[{"kind":"crash-before","afterCalls":100,"power":true}]'

--exhaustive lets every call of the disk of one fixed script go wrong, one per run; --depth 2 does it again during each recovery.
--share I/N plays the I-th of N equal parts of that.
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    'keep-going': { type: 'boolean', default: false },
    replay: { type: 'string' },
    exhaustive: { type: 'boolean', default: false },
    depth: { type: 'string', default: '1' },
    share: { type: 'string', default: '1/1' },
    case: { type: 'string' },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

catchStrays();
if (values.help) process.stdout.write(usage);
else if (values.worker !== undefined) await work(JSON.parse(values.worker) as Seeds);
else if (values.replay !== undefined) await replay(Number(values.replay));
else if (values.case !== undefined) await explain(JSON.parse(values.case) as Case);
else if (values.exhaustive) await playExhaustively(Number(values.jobs));
else await play(Number(values.from), Number(values.seeds), Number(values.jobs));

/** One of several processes that share the seeds. */
async function work(seeds: Seeds): Promise<void> {
  // without its parent no process plays on, in circles perhaps
  process.once('disconnect', () => process.exit());
  process.send!(await playSeeds(seeds));
  process.disconnect();
}

async function replay(seed: number): Promise<void> {
  const script = generate(seed);
  const { violations, events, starts } = await run(script);
  if (violations.length > 0) await fail(seed);
  else
    process.stdout.write(
      `Seed ${seed}: ${script.operations.length} operations, ${events.length} events, ${starts} starts; every promise kept.\n`,
    );
}

async function play(from: number, count: number, jobs: number): Promise<void> {
  const startedMs = performance.now();
  const seeds: Seeds = { from, to: from + count, step: 1, keepGoing: values['keep-going'] };
  const tally = await (jobs > 1 ? playSeedsInJobs(seeds, jobs) : playSeeds(seeds));
  process.stdout.write(summary(tally, performance.now() - startedMs));
  if (tally.failures.length === 0) return;
  for (const [rule, failed] of byRule(tally))
    process.stdout.write(`  ${failed.length} × ${rule}: seeds ${failed.slice(0, 8).join(' ')}\n`);
  process.exitCode = 1;
  if (!values['keep-going']) await fail(tally.failures[0]!.seed);
}

async function playExhaustively(jobs: number): Promise<void> {
  const [part = 1, parts = 1] = values.share.split('/').map(Number);
  if (jobs > 1) return shareOut(part, parts, jobs);
  const startedMs = performance.now();
  const share: Share = { every: parts, from: part - 1 };
  const { calls, cases, failures } = await exhaust(values.depth === '2' ? 2 : 1, share, tellOfCase);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `${calls} calls of the disk, ${cases} cases in ${seconds} s: ${failures.length} failed\n`,
  );
  if (failures.length > 0) process.exitCode = 1;
}

/** Every job plays a part of this part. */
async function shareOut(part: number, parts: number, jobs: number): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const ends = Array.from({ length: jobs }, async (_, job) => {
    const share = `${part + job * parts}/${parts * jobs}`;
    const child = fork(program, ['--exhaustive', '--depth', values.depth, '--share', share]);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) process.exitCode = 1;
  });
  await Promise.all(ends);
}

function tellOfCase({ interruptions, violation: { rule, text } }: FailedCase): void {
  process.stdout.write(
    `${rule}: ${text}\n  Again: npm run sim -- --case '${JSON.stringify(interruptions)}'\n`,
  );
}

async function explain(interruptions: Case): Promise<void> {
  const outcome = await playCase(interruptions);
  const { violations, events } = outcome;
  if (violations.length === 0)
    return void process.stdout.write(`${events.length} events; every promise kept.\n`);
  process.stdout.write(`${historyOf(outcome).join('\n')}\n${violations[0]!.rule}: ${violations[0]!.text}\n`);
  process.exitCode = 1;
}

async function fail(seed: number): Promise<void> {
  const script = generate(seed);
  const { violations } = await run(script);
  process.stdout.write(await reportFailure(script, violations[0]!));
  process.exitCode = 1;
}

function summary({ seeds, events, starts, failures }: Tally, ms: number): string {
  const perHour = Math.round((seeds / ms) * 3_600_000);
  return (
    `${seeds} seeds, ${starts} starts, ${events} events in ${(ms / 1000).toFixed(1)} s ` +
    `(${perHour.toLocaleString('en-US')} seeds an hour): ${failures.length} failed\n`
  );
}

function byRule({ failures }: Tally): [rule: string, seeds: number[]][] {
  const rules = new Map<string, number[]>();
  for (const { rule, text, seed } of failures) {
    const name = rule === 'sound' ? `sound (${text.split('\n')[0]})` : rule;
    rules.set(name, [...(rules.get(name) ?? []), seed]);
  }
  return [...rules].sort((a, b) => b[1].length - a[1].length);
}
