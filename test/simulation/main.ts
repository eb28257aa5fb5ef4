import { parseArgs } from 'node:util';
import { reportFailure } from './failure-report.ts';
import { generate } from './generator.ts';
import { catchStrays, run } from './run.ts';
import { playSeeds, playSeedsInJobs, type Seeds, type Tally } from './seeds.ts';

const usage = `Plays whole lives of the broker on a simulated machine and checks what its clients saw.

  npm run sim -- --seeds 1000 [--from 1] [--jobs 2] [--keep-going]
  npm run sim -- --replay SEED
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    'keep-going': { type: 'boolean', default: false },
    replay: { type: 'string' },
    worker: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

catchStrays();
if (values.help) process.stdout.write(usage);
else if (values.worker !== undefined) await work(JSON.parse(values.worker) as Seeds);
else if (values.replay !== undefined) await replay(Number(values.replay));
else await play(Number(values.from), Number(values.seeds), Number(values.jobs));

/** One of several processes that share the seeds. */
async function work(seeds: Seeds): Promise<void> {
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
