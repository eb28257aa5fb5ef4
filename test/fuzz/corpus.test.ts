import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/util/index.ts';
import { attempt } from './attempt.ts';
import { readCorpus } from './corpus.ts';
import { Mutator } from './mutator.ts';
import { targets } from './targets/index.ts';

// Earlier findings of `npm run fuzz`, the seeds, and some inputs made from them: without coverage, the same
// every time.

const mutations: { readonly [target: string]: number } = {
  'nats-api': 60,
  'amqp-session': 20,
  'log-recovery': 40,
};
const mutationsOfOthers = 300;

for (const target of targets) {
  test(`${target.name}: former findings, seeds and ${mutations[target.name] ?? mutationsOfOthers} inputs like them do no harm`, async () => {
    const run = await target.prepare();
    const corpus = [...(await target.seeds())];
    for (const [index, bytes] of corpus.entries())
      assert.equal(await attempt(run, Buffer.from(bytes)), undefined, `seed ${index}`);
    for (const { name, bytes } of await readCorpus(target.name))
      assert.equal(await attempt(run, bytes), undefined, `finding ${name}`);
    const mutator = new Mutator(new SeededRandom(7), target.words);
    for (let i = 0; i < (mutations[target.name] ?? mutationsOfOthers); i++) {
      const input = mutator.mutate(corpus);
      assert.equal(await attempt(run, Buffer.from(input)), undefined, input.toString('base64'));
    }
  });
}
