import { parseArgs } from 'node:util';
import { SeededRandom } from '../../src/util/index.ts';
import { tryOut } from './attempt.ts';
import { Worst } from './worst.ts';
import { keepFinding, readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Mutator } from './mutator.ts';
import type { Target } from './target.ts';
import { targets } from './targets/index.ts';

// `npm run fuzz -- [--target NAME] [--seconds 60] [--seed 1]`: inputs are mutated, and those that run new
// code are kept for further mutation. Failures are written to test/fuzz/corpus, where `npm test` tries them
// again.

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
  },
});

/** Inputs between two looks at the coverage, which take the time. */
const batchInputs = 100;
const findingsMax = 5;

async function fuzz(target: Target): Promise<number> {
  const run = await target.prepare();
  const kept = await readCorpus(target.name);
  const corpus: Uint8Array[] = [...(await target.seeds()), ...kept.map(({ bytes }) => bytes)];
  const mutator = new Mutator(new SeededRandom(Number(values.seed)), target.words);
  const coverage = new Coverage();
  const endMs = performance.now() + Number(values.seconds) * 1000;
  let executions = 0;
  /** How each finding begins: one of a kind is enough. */
  const wrong = new Set<string>();
  const worst = new Worst();
  const see = async (input: Buffer): Promise<void> => {
    executions++;
    const { problem, cost } = await tryOut(run, Buffer.from(input));
    worst.note(input, cost);
    const first = problem?.split('\n').slice(0, 3).join('\n');
    if (problem === undefined || wrong.has(first!)) return;
    wrong.add(first!);
    console.log(`${target.name}: ${await keepFinding(target.name, input)}\n${problem}`);
  };
  for (const seed of corpus) await see(Buffer.from(seed));
  coverage.look();
  const blocksOfSeeds = coverage.blocks;
  while (performance.now() < endMs && wrong.size < findingsMax) {
    const inputs = Array.from({ length: batchInputs }, () => mutator.mutate(corpus));
    for (const input of inputs) await see(input);
    // The most costly inputs are mutated too: they may become worse.
    corpus.push(...worst.fresh());
    if (!coverage.look()) continue;
    // Which of them it was: those that run something rarer than usual go on living.
    corpus.push(...(await newest(inputs, run, coverage)));
  }
  const { blocks } = coverage;
  coverage.close();
  const figures = `${executions} executions, ${blocks} blocks (${blocksOfSeeds} by the seeds), ${corpus.length} inputs, ${wrong.size} findings`;
  console.log(`${target.name}: ${figures}; ${worst.figures}`);
  return wrong.size;
}

/**
 * The inputs of a batch that together ran new code. Known blocks are noted already, so each is run against
 * those that only the others ran: the first few count.
 */
async function newest(
  inputs: readonly Buffer[],
  run: (input: Buffer) => unknown,
  coverage: Coverage,
): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (const input of inputs) {
    try {
      await run(Buffer.from(input));
    } catch {
      continue; // a finding, told already
    }
    if (coverage.lookAgain()) found.push(input);
  }
  return found;
}

const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0) {
  console.error(
    `There is no target "${values.target}"; there are ${targets.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
let findings = 0;
for (const target of chosen) findings += await fuzz(target);
process.exit(findings === 0 ? 0 : 1);
