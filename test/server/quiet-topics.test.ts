import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietTopics } from '../../src/server/quiet-topics.ts';
import { TestBroker, TestConsumer } from '../broker/kit.ts';

test('a round passes over a topic until something happens in it, or it was not looked at for long', async () => {
  const t = await TestBroker.open();
  const topic = await t.broker.createTopic({ name: 'orders' });
  const group = await topic.createGroup({ name: 'billing' });
  const quiet = new QuietTopics();
  assert.equal(quiet.has(topic), false, 'it was never looked at');
  quiet.note(topic, true);
  assert.equal(quiet.has(topic), true);
  const isSeen = (): boolean => {
    const isQuiet = quiet.has(topic);
    quiet.note(topic, true);
    return !isQuiet;
  };
  await topic.send({ value: 'x' });
  assert.ok(isSeen(), 'a message came');
  const consumer = new TestConsumer();
  group.attach(consumer);
  assert.ok(isSeen(), 'a consumer came');
  await topic.createGroup({ name: 'audit' });
  assert.ok(isSeen(), 'a group came');
  quiet.note(topic, false);
  assert.equal(quiet.has(topic), false, 'there was something to do');
  quiet.note(topic, true);
  let passedOver = 0;
  while (quiet.has(topic)) passedOver++;
  assert.ok(passedOver > 0 && passedOver <= 11, `${passedOver} rounds`);
  await t.broker.close();
});
