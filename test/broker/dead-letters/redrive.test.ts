import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topic, TopicOptions } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

/** A broker with empty topics, each of which had `counts[name]` messages rejected into `dead`. */
async function withLetters(
  counts: { readonly [name: string]: number },
  options: Partial<TopicOptions> = {},
): Promise<{ kit: TestBroker; letters: Topic }> {
  const kit = await TestBroker.open();
  for (const [name, count] of Object.entries(counts)) {
    const topic = await kit.broker.createTopic({ name, retention: 'queue', ...options });
    const group = await topic.createGroup({ name: 'g', deadLetter: 'dead' });
    const consumer = kit.attach(group);
    consumer.answer = ({ offset }) => group.reject(0, offset, 'no');
    for (let i = 0; i < count; i++) {
      void topic.send({ key: `k${i}`, value: `${name}${i}` });
      await kit.settle();
    }
    group.detach(consumer);
  }
  return { kit, letters: kit.broker.topic('dead')! };
}

test('redrive respects the limits of the topic, and says how many stayed and why', async () => {
  const { kit, letters } = await withLetters(
    { full: 3, gone: 2, fine: 1 },
    { messagesMax: 1, overflow: 'reject' },
  );
  await using _ = kit;
  await kit.broker.topic('gone')!.delete();
  assert.deepEqual(await kit.broker.redrive(letters), {
    moved: 2,
    stayed: [
      { topic: 'full', code: 'topic-full', message: 'Topic "full" holds 1 messages.', count: 2 },
      { topic: 'gone', code: 'topic-not-found', message: 'There is no topic "gone" any more.', count: 2 },
    ],
  });
  assert.deepEqual(
    [letters.count, kit.broker.topic('full')!.count, kit.broker.topic('fine')!.count],
    [4, 1, 1],
  );
});

test('two redrives at once put each message back once', async () => {
  const { kit, letters } = await withLetters({ orders: 5 });
  await using _ = kit;
  const both = await Promise.all([kit.broker.redrive(letters), kit.broker.redrive(letters)]);
  assert.equal(both[0].moved + both[1].moved, 5);
  assert.deepEqual([letters.count, kit.broker.topic('orders')!.count], [0, 5]);
});

test('redrive asks about everything a publish is asked about', async () => {
  const refusals: string[] = [];
  const attempt = async (change: (topic: Topic) => Promise<void>): Promise<void> => {
    const { kit, letters } = await withLetters({ orders: 2 });
    await using _ = kit;
    const topic = kit.broker.topic('orders')!;
    await change(topic);
    const { moved, stayed } = await kit.broker.redrive(letters);
    refusals.push(`${moved} ${stayed.map(({ code, count }) => `${code} ${count}`).join()}`);
    if (topic.config.overflow !== 'drop-oldest') assert.equal(letters.count + topic.count, 2);
  };
  await attempt((topic) => topic.update({ ...topic.config, sealed: true }));
  await attempt((topic) => topic.update({ ...topic.config, messageBytesMax: 3 }));
  await attempt((topic) => topic.update({ ...topic.config, bytesMax: 1, overflow: 'reject' }));
  await attempt((topic) => topic.update({ ...topic.config, messagesMax: 1, overflow: 'drop-oldest' }));
  assert.deepEqual(refusals, ['0 not-allowed 2', '0 message-too-large 2', '0 topic-bytes-full 2', '2 ']);
});

test('a limit counts moved messages, not those that stayed', async () => {
  const { kit, letters } = await withLetters({ gone: 3, fine: 3 });
  await using _ = kit;
  await kit.broker.topic('gone')!.delete();
  const { moved, stayed } = await kit.broker.redrive(letters, { limit: 2 });
  assert.deepEqual([moved, stayed.map(({ count }) => count)], [2, [3]]);
  assert.deepEqual((await kit.broker.redrive(letters, { to: 'fine' })).moved, 4);
});
