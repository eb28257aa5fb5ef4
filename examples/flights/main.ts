import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOptions, usage, type FlightsOptions } from './options.ts';
import { Progress } from './progress.ts';
import { replay, type FlightsResult } from './replay.ts';

// Flight records through a work queue with several worker processes; one worker and then the broker are
// killed midway. Every record must have been handled at least once, and none that was not published.

async function main(): Promise<number> {
  let options: FlightsOptions | undefined;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (!options) {
    process.stdout.write(usage);
    return 0;
  }
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-flights-'));
  const cleanUp = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', cleanUp);
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const progress = new Progress(options.records, process.stderr);
  try {
    const result = await replay(options, dir, progress);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result));
    return result.missing === 0 && result.invented === 0 && result.stored === result.records ? 0 : 1;
  } finally {
    progress.end();
  }
}

function describe(result: FlightsResult): string {
  const n = (count: number): string => count.toLocaleString('en');
  return `
published      ${n(result.records)} records; ${n(result.repeated)} publishes were repeated after the broker's death, \
${n(result.duplicates)} of them had arrived
stored         ${n(result.stored)} messages, each record once
handled        ${n(result.handled)} of ${n(result.records)} records at least once; ${n(result.missing)} missing
invented       ${n(result.invented)}
handled twice  ${n(result.twice)}; more often: ${n(result.more)}
killed         a worker after ${n(result.workerKilledAt)} records, the broker after ${n(result.brokerKilledAt)}; \
the broker was back after ${Math.round(result.restartMs)} ms
took           ${(result.ms / 1000).toFixed(1)} s
`;
}

process.exitCode = await main();
