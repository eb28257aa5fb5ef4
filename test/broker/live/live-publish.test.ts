import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { open } from '../../../src/index.ts';
import { LiveMessage, publishLive, recordOf, type Topic } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

describe('a publish to a subject', () => {
  test('reaches live subscribers, and then the topic that captures it', async () => {
    await using kit = await TestBroker.open();
    const { topic, heard } = await orders(kit);
    const message = new LiveMessage();
    const subject = Buffer.from('orders.new');
    message.setSubject(subject, 0, subject.length);
    const { receivers, topic: captor } = publishLive(kit.broker.router, message, (found) =>
      found.publish(recordOf({ key: subject, value: 'v' }), undefined, deaf, undefined),
    );
    assert.deepEqual([receivers, captor === topic, heard, topic.count], [1, true, [0], 1]);
  });

  test('keeps that order from the embedded API', async () => {
    await using kit = await TestBroker.open();
    const { topic, heard } = await orders(kit);
    await using box = await open({ broker: kit.broker });
    assert.equal(box.live.publish('orders.new', 'v'), 1);
    assert.deepEqual([heard, topic.count], [[0], 1]);
  });
});

test('messages stored under the name of a topic are not live, for any key', async () => {
  await using kit = await TestBroker.open();
  const { topic, heard } = await orders(kit);
  await topic.send({ key: 'orders.new', value: 'v' });
  await kit.settle();
  assert.deepEqual([heard, topic.count], [[], 1]);
});

const deaf = { published: (): void => {}, refused: (): void => {} };

/** A topic that captures subjects, and how many messages it had when a live subscriber of them heard one. */
async function orders(kit: TestBroker): Promise<{ topic: Topic; heard: number[] }> {
  const topic = await kit.broker.createTopic({ name: 'orders', subjects: ['orders.>'] });
  const heard: number[] = [];
  kit.broker.router.subscribe('orders.>', undefined, {
    receive: () => heard.push(topic.count) > 0,
    congested: false,
    whenDrained: (callback) => callback(),
  });
  return { topic, heard };
}
