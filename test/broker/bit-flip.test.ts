import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/util/index.ts';
import { bitsOf, flip, makeDirectory } from './bit-flip.ts';

// `npm run bitflip` tries every bit; here are some of each file, the same every time.
const bitsTried = 140;

for (const how of ['clean stop', 'crash'] as const) {
  test(`a bit flipped after a ${how} is told of or harmless: no wrong byte is served, no topic goes`, async () => {
    const directory = await makeDirectory(how);
    const bits = bitsOf(directory);
    const paths = [...new Set(bits.map(({ path }) => path))];
    const random = new SeededRandom(3);
    const outcomes = new Set<string>();
    for (let i = 0; i < bitsTried; i++) {
      const ofPath = bits.filter(({ path }) => path === paths[i % paths.length]);
      outcomes.add(await flip(directory, ofPath[random.int(ofPath.length)]!, i % 2 === 0));
    }
    assert.deepEqual([...outcomes].sort(), ['harmless', 'told, nothing lost', 'told, something lost']);
  });
}
