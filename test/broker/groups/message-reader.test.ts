import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageReader } from '../../../src/broker/groups/message-reader.ts';
import { MessageLoader } from '../../../src/broker/groups/message-loader.ts';
import type { Record } from '../../../src/log/index.ts';
import { TestBroker, text } from '../kit.ts';

/** What the cache has at the moment. */
class FickleLoader extends MessageLoader {
  hasRoom = true;

  override batchOf(offset: number): ReturnType<MessageLoader['batchOf']> {
    return this.hasRoom ? super.batchOf(offset) : 'loading';
  }
}

test('a message that was read is not loaded again, though the cache has dropped it', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 't' });
  for (const value of ['a', 'b']) await topic.send({ value });
  const partition = topic.partitions.at(0)!;
  const loader = new FickleLoader(partition, { loaded: () => {}, stalled: () => {} });
  const reader = new MessageReader(partition, loader);
  assert.equal(text((reader.read(1) as Record).value), 'b');
  loader.hasRoom = false;
  assert.equal(text((reader.read(1) as Record).value), 'b');
  assert.equal(reader.read(0), 'loading');
  await partition.delete(1);
  assert.equal(reader.read(1), undefined, 'it was removed');
});
