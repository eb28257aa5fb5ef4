import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteReader, ByteWriter, OffsetSet } from '../../src/util/index.ts';

/** Offsets around the ends of chunks, and far away. */
const offset = fc.oneof(
  fc.nat(200),
  fc.integer({ min: 32_700, max: 32_900 }),
  fc.integer({ min: 65_500, max: 65_600 }),
  fc.constant(2 ** 45 + 3),
);

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), offset }),
  fc.record({ kind: fc.constant('delete' as const), offset }),
  fc.record({
    kind: fc.constant('range' as const),
    offset,
    length: fc.oneof(fc.nat(300), fc.constant(40_000), fc.constant(70_000)),
  }),
  fc.record({ kind: fc.constant('below' as const), offset: fc.integer({ min: 0, max: 66_000 }) }),
);

test('it behaves as a set of numbers, whatever is done to it', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.array(offset, { minLength: 1, maxLength: 8 }),
      (steps, probes) => {
        const set = new OffsetSet();
        const model = new Set<number>();
        for (const step of steps) {
          if (step.kind === 'add') {
            assert.equal(set.add(step.offset), !model.has(step.offset));
            model.add(step.offset);
          } else if (step.kind === 'delete') assert.equal(set.delete(step.offset), model.delete(step.offset));
          else if (step.kind === 'range') {
            set.addRange(step.offset, step.offset + step.length);
            for (let i = 0; i < step.length; i++) model.add(step.offset + i);
          } else {
            set.deleteBelow(step.offset);
            for (const member of model) if (member < step.offset) model.delete(member);
          }
          assert.equal(set.size, model.size);
        }
        const sorted = [...model].sort((a, b) => a - b);
        for (const probe of probes) {
          assert.equal(set.has(probe), model.has(probe));
          assert.equal(
            set.nextPresent(probe),
            sorted.find((member) => member >= probe),
          );
          let absent = probe;
          while (model.has(absent)) absent++;
          assert.equal(set.nextAbsent(probe), absent);
          assert.equal(
            set.countRange(probe, probe + 33_000),
            sorted.filter((member) => member >= probe && member < probe + 33_000).length,
          );
        }
        let counted = 0;
        let last = -1;
        for (const [from, to] of set.runs()) {
          assert.ok(from > last && to > from);
          assert.ok(model.has(from) && model.has(to - 1) && !model.has(to));
          counted += to - from;
          last = to;
        }
        assert.equal(counted, model.size);
        const writer = new ByteWriter();
        set.encode(writer);
        const decoded = OffsetSet.decode(new ByteReader(writer.view()));
        assert.deepEqual([...decoded.runs()], [...set.runs()]);
        assert.equal(decoded.size, set.size);
      },
    ),
    { numRuns: 150 },
  );
});

test('a full chunk gives its bits back, and takes them again for a hole', () => {
  const set = new OffsetSet();
  for (let offset = 0; offset < 3 * 32_768; offset++) set.add(offset);
  assert.deepEqual([...set.runs()], [[0, 3 * 32_768]]);
  set.delete(40_000);
  assert.equal(set.size, 3 * 32_768 - 1);
  assert.equal(set.nextAbsent(0), 40_000);
  assert.equal(set.add(40_000), true);
  assert.equal(set.nextAbsent(0), 3 * 32_768);
});
