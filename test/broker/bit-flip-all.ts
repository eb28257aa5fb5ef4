import { parseArgs } from 'node:util';
import { bitsOf, flip, makeDirectory, type Outcome } from './bit-flip.ts';

// `npm run bitflip`: every bit of a small data directory, one at a time. `--part 1/2` takes every second bit,
// so that two processes share the work; `--every 10` each tenth only.

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: '1/1' },
    every: { type: 'string', default: '1' },
    /** Of so many bits one is looked at more closely: delivered, published to, started twice. */
    use: { type: 'string', default: '8' },
  },
});
const [part = 1, parts = 1] = values.part.split('/').map(Number);
const step = parts * Number(values.every);
const progressMs = 10_000;

let failures = 0;
for (const how of ['clean stop', 'crash'] as const) {
  const directory = await makeDirectory(how);
  const bits = bitsOf(directory);
  const outcomes: { [outcome in Outcome]: number } = {
    harmless: 0,
    'told, nothing lost': 0,
    'told, something lost': 0,
  };
  let tried = 0;
  let toldMs = performance.now();
  for (let at = (part - 1) * Number(values.every); at < bits.length; at += step) {
    try {
      outcomes[await flip(directory, bits[at]!, tried++ % Number(values.use) === 0)]++;
    } catch (error) {
      failures++;
      console.log(`FAILED after a ${how}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (performance.now() - toldMs < progressMs) continue;
    toldMs = performance.now();
    process.stderr.write(`${how}: ${tried} bits of ${Math.ceil(bits.length / step)}\n`);
  }
  console.log(`after a ${how}: ${tried} of ${bits.length} bits flipped, ${JSON.stringify(outcomes)}`);
}
console.log(failures === 0 ? 'no failure' : `${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
