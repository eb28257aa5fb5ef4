import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nestsDeeper } from '../../src/util/index.ts';

test('levels of arrays and objects are counted, and brackets in strings are none', () => {
  const cases: readonly [text: string, depth: number][] = [
    ['1', 0],
    ['[]', 1],
    ['{"a":[1,{"b":[]}],"c":[[]]}', 4],
    ['[[],[],[]]', 2],
    ['["[[[", "\\"[[[", {"[[": "\\\\"}]', 2],
  ];
  for (const [text, depth] of cases) {
    JSON.parse(text);
    const bytes = Buffer.from(text);
    assert.equal(nestsDeeper(bytes, depth), false, text);
    if (depth > 0) assert.equal(nestsDeeper(bytes, depth - 1), true, text);
  }
});
