import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { cases } from './cases/index.ts';
import { describeMachine, machineLines } from './machine.ts';
import { parseOptions, usage, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { resultTable } from './result-table.ts';
import { updateResults, type Circumstances } from './results.ts';
import { Run, type CaseResult } from './run.ts';
import { Scratch } from './scratch.ts';
import { findContenders, projectRoot, type Contender } from './servers/index.ts';
import { textTable } from './table.ts';

const resultsPath = `${projectRoot}bench/RESULTS.md`;

/** Names on the command line that are shorter than those of the tables. */
const shortNames: { readonly [name: string]: string } = {
  synced: 'nats-server, synced',
  quorum: 'rabbitmq, quorum',
  sqlite: 'fauxqs, SQLite',
  h2: 'elasticmq, H2',
};

function selectContenders(options: Options): Contender[] {
  const { pillarboxPath, beforePath, profileDirectory, servers, users, configurationPath, hasDashboard } =
    options;
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  const found = findContenders({
    pillarboxPath,
    beforePath,
    users,
    configurationPath,
    hasDashboard,
    profileDirectory: absolute(profileDirectory),
  });
  const wanted = servers?.map((name) => shortNames[name] ?? name);
  return found.filter((contender) => wanted?.includes(contender.name) ?? true);
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

async function measure(options: Options, contenders: readonly Contender[], scratch: Scratch): Promise<void> {
  const machine = describeMachine(scratch);
  const circumstances: Circumstances = {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    versions: contenders.map((contender) => contender.version),
    machine,
  };
  process.stdout.write(`${textTable(machineLines(machine))}\n${circumstances.versions.join('\n')}\n`);
  if (machine.fileSystem === 'tmpfs') {
    process.stderr.write(
      'The data is on tmpfs, where a sync costs nothing: --directory names a real disk.\n',
    );
  }
  const progress = new Progress(process.stderr);
  const run = new Run({ settings: options.settings, scratch, contenders, progress });
  progress.start(run.countSteps(options.cases));
  const results: CaseResult[] = [];
  for (const one of options.cases) {
    const result = await run.measureCase(one);
    progress.end();
    const lines = [`\n${result.title}  [${result.id}]`, textTable(resultTable(result)), ...result.remarks];
    process.stdout.write(`${lines.join('\n')}\n`);
    results.push(result);
    // After each case, so that an interrupted run keeps its results.
    save(options, results, circumstances);
  }
  if (results.some((result) => result.rows.some((row) => Object.keys(row.failures).length > 0))) {
    process.exitCode = 1;
  }
}

function save(options: Options, results: readonly CaseResult[], circumstances: Circumstances): void {
  if (options.jsonFile !== undefined) {
    const json = { ...circumstances, settings: options.settings, cases: results };
    writeFileSync(options.jsonFile, `${JSON.stringify(json, undefined, 2)}\n`);
  }
  if (options.write) writeFileSync(resultsPath, updateResults(readResults(), results, circumstances));
}

function readResults(): string {
  try {
    return readFileSync(resultsPath, 'utf8');
  } catch {
    return '';
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(usage);
  if (options.list) {
    return void process.stdout.write(`${textTable(cases.map((one) => [one.id, one.title]))}\n`);
  }
  const contenders = selectContenders(options);
  if (contenders.length === 0) throw new Error('no server to measure: build pillarbox, or set NATS_SERVER');
  const scratch = new Scratch(options.directory);
  scratch.clearOnSignals();
  try {
    await measure(options, contenders, scratch);
  } finally {
    scratch.clear();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
