import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harms, playAbsence } from './absence.ts';

const seeds = Number(process.env['ABSENCE_SEEDS'] ?? 20 * harms.length);
const from = Number(process.env['ABSENCE_FROM'] ?? 1);

test('a file that is lost, short, swapped, copied or older than it was costs nothing that is not told', async () => {
  const broken: string[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const text = await playAbsence(seed).catch((error: Error) => `seed ${seed}: ${error.stack}`);
    if (text !== undefined) broken.push(text);
  }
  assert.deepEqual(broken, []);
});
