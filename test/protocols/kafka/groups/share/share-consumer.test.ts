import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShareConsumer } from '../../../../../src/protocols/kafka/groups/share/share-consumer.ts';
import { ShareFetch } from '../../../../../src/protocols/kafka/groups/share/share-fetch.ts';
import { TestBroker } from '../../../../broker/kit.ts';

test('a share consumer takes nothing after the last record of its fetch', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const group = await topic.createGroup({ name: 'g' });
  for (const value of ['a', 'b', 'c']) void topic.send({ value });
  const consumer = new ShareConsumer('00000000-0000-0000-0000-000000000001', group, 'member', 1);
  consumer.partitions.add(0);
  group.attach(consumer);
  const options = { clock: kit.clock, recordsMax: 2, bytesMin: 1, bytesMax: 1e6, waitMs: 60_000 };
  const fetch = new ShareFetch(options, () => consumer.begin(undefined));
  consumer.begin(fetch, 2);
  group.wake(consumer);
  await kit.settle();
  assert.equal(fetch.result()[0]?.acquired.length, 1);
  assert.equal(group.held(consumer).length, 2);
  assert.equal(consumer.credit, 0);
});
