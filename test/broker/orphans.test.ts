import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestBroker } from './kit.ts';

/** A broker that has lost all definitions: both checkpoints are gone, and so is the journal. */
async function withoutDefinitions(): Promise<TestBroker> {
  const kit = await TestBroker.open();
  const orders = await kit.broker.createTopic({ name: 'orders' });
  for (let i = 0; i < 3; i++) await orders.send({ value: `m${i}` });
  await kit.broker.close();
  for (const path of kit.files.paths()) {
    if (/checkpoint|clean-stop|journal/.test(path)) await kit.files.remove(path);
  }
  await kit.start();
  return kit;
}

test('a new topic never gets the messages of one whose definition was lost', async () => {
  await using kit = await withoutDefinitions();
  for (let i = 0; i < 5; i++) {
    const topic = await kit.broker.createTopic({ name: `new${i}` });
    assert.equal(topic.count, 0);
    assert.equal((await topic.send({ value: 'x' })).offset, 0);
  }
});

test('an orphan becomes a topic again when it is adopted', async () => {
  await using kit = await withoutDefinitions();
  const orphans = kit.broker.orphans;
  assert.equal(orphans.length, 1);
  await kit.broker.createTopic({ name: 'taken' });
  await assert.rejects(kit.broker.adopt(orphans[0]!, 'taken'), { code: 'topic-exists' });
  await assert.rejects(kit.broker.adopt(4711, 'none'), { code: 'not-allowed' });
  const found = await kit.broker.adopt(orphans[0]!, 'found');
  assert.equal(found.count, 3);
  await kit.restart();
  assert.deepEqual(kit.broker.orphans, []);
  const again = kit.broker.topic('found')!;
  assert.equal(again.count, 3);
  // The journal is gone, and may have had more than the segments: those offsets are not used again.
  assert.ok((await again.send({ value: 'm3' })).offset >= 3);
  assert.equal(again.count, 4);
});
