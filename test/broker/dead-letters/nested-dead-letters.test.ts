import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadLetterOrigin, type Topic } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

test('a dead letter of a dead letter goes all the way back, one redrive at a time', async () => {
  await using kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  await orders.send({ key: 'k', value: 'v' });
  await giveUp(kit, orders, 'letters');
  const letters = kit.broker.topic('letters')!;
  await giveUp(kit, letters, 'late-letters');
  const late = kit.broker.topic('late-letters')!;
  assert.equal(late.partitions.at(0)!.count, 1);

  await kit.broker.redrive(late);
  const again = await letters.partitions.at(0)!.get(1);
  assert.equal(deadLetterOrigin(again!.headers)?.topic, 'orders');
  await kit.broker.redrive(letters);
  const back = await orders.partitions.at(0)!.get(1);
  assert.deepEqual([back!.headers, String(back!.key), String(back!.value)], [[], 'k', 'v']);
});

/** A group of the topic rejects all messages. */
async function giveUp(kit: TestBroker, topic: Topic, deadLetter: string): Promise<void> {
  const group = await topic.createGroup({ name: 'a', deadLetter });
  const consumer = kit.attach(group);
  consumer.answer = ({ offset }) => void group.reject(0, offset, 'unwanted');
  await kit.settle();
  await group.delete();
}
