import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGroupChanged, writeGroupChanged } from '../../src/broker/entries.ts';
import { GroupChanges } from '../../src/broker/groups/group-changes.ts';
import { ByteWriter, VirtualClock } from '../../src/util/index.ts';

test('offsets that became pending are read back in their order, those held behind a key in between', () => {
  const changes = new GroupChanges();
  for (const offset of [0, 1, 4]) changes.entered.add(offset);
  changes.deliveries.push(2, 0, 3, 2);
  const writer = new ByteWriter();
  const position = {
    partition: { index: 1 },
    cursor: 5,
    backfill: [],
    filteredLag: 0,
    changes,
    pending: { leftMs: () => undefined },
  };
  writeGroupChanged(writer, position, 7, new VirtualClock());
  const { partition, cursor, deliverySequence, pending } = readGroupChanged(writer.view());
  assert.deepEqual([partition, cursor, deliverySequence], [1, 5, 7]);
  assert.deepEqual(pending, [
    [0, 1],
    [1, 1],
    [2, 0],
    [3, 2],
    [4, 1],
  ]);
});
