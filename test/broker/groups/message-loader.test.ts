import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageLoader } from '../../../src/broker/groups/message-loader.ts';
import type { Partition } from '../../../src/broker/partitions/partition.ts';

test('messages lost to damage, with others behind them, are not loaded again', async () => {
  let loads = 0;
  const log = {
    durableEnd: 9,
    cached: () => undefined,
    load: (): Promise<unknown> => {
      loads++;
      return Promise.resolve({ baseOffset: 5 });
    },
  };
  const partition = { log } as unknown as Partition;
  let told = (): void => {};
  const loaded = new Promise<void>((resolve) => (told = resolve));
  const loader = new MessageLoader(partition, { loaded: () => told(), stalled: () => {} });
  assert.equal(loader.batchOf(2), 'loading');
  await loaded;
  assert.equal(loader.batchOf(2), undefined);
  assert.equal(loader.batchOf(4), undefined);
  assert.equal(loader.lostEnd, 5);
  assert.equal(loads, 1);
});
