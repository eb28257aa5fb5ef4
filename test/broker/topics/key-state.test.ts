import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordOf, type TopicConfig } from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';
import { TransactionKit } from '../transactions-kit.ts';

const compacted = (config: TopicConfig): TopicConfig => ({ ...config, keyState: true, compaction: true });

async function put(kit: TransactionKit, key: string, value: string): Promise<void> {
  await kit.topic('t').send({ key: Buffer.from(key), value: Buffer.from(value) });
}

describe('state by key that is switched on later', () => {
  test('drops superseded messages, and counts those that come meanwhile', async () => {
    await using kit = await TransactionKit.open();
    const topic = await kit.createTopic('t');
    for (const value of ['1', '2', '3']) await put(kit, value === '2' ? 'b' : 'a', value);
    const updated = topic.update(compacted(topic.config));
    await Promise.all([updated, put(kit, 'b', '4'), put(kit, 'c', '5')]);
    assert.deepEqual(await kit.visible('t'), ['3', '4', '5']);
    assert.equal(kit.partition('t').keyCount, 3);
    await put(kit, 'a', '6');
    assert.deepEqual(await kit.visible('t'), ['4', '5', '6']);
  });

  test('counts every key that comes while the messages are read', async () => {
    await using kit = await TransactionKit.open();
    const topic = await kit.createTopic('t');
    for (let at = 0; at < 100; at++) await put(kit, `before ${at}`, 'x');
    const updated = topic.update(compacted(topic.config));
    for (let at = 0; at < 50; at++) await put(kit, `meanwhile ${at}`, 'x');
    await updated;
    assert.equal(kit.partition('t').keyCount, 150);
  });

  test('is read together again after a crash', async () => {
    await using kit = await TransactionKit.open();
    const topic = await kit.createTopic('t', { partitions: 2 });
    await topic.send({ key: Buffer.from('a'), value: Buffer.from('1') }, { partition: 0 });
    await topic.send({ key: Buffer.from('a'), value: Buffer.from('2') }, { partition: 0 });
    await topic.update(compacted(topic.config));
    await kit.crash();
    assert.equal(kit.partition('t').keyCount, 1);
    await kit.topic('t').send({ key: Buffer.from('a'), value: Buffer.from('3') }, { partition: 0 });
    assert.deepEqual(await kit.visible('t'), ['3']);
    await kit.broker.checkpoint();
    await kit.crash();
    assert.deepEqual([kit.partition('t').keyCount, await kit.visible('t')], [1, ['3']]);
  });

  test('keeps messages superseded only by an open transaction, until that is decided', async () => {
    await using kit = await TransactionKit.open();
    const topic = await kit.createTopic('t');
    await put(kit, 'a', '1');
    await put(kit, 'a', '2');
    const aborting = await kit.producer('aborting');
    await aborting.send('t', ['3'], { keys: ['a'] });
    await put(kit, 'b', '4');
    await put(kit, 'b', '5');
    await topic.update(compacted(topic.config));
    await aborting.end('abort');
    await kit.settle();
    assert.deepEqual(await kit.visible('t'), ['2', '5']);
    const committing = await kit.producer('committing');
    await committing.send('t', ['6'], { keys: ['a'] });
    await committing.end('commit');
    await kit.settle();
    assert.deepEqual(await kit.visible('t'), ['5', '6']);
  });

  test('is not given up, and an update that is refused changes nothing', async () => {
    await using kit = await TestBroker.open();
    const topic = await kit.broker.createTopic({ name: 't', partitions: 2 });
    await topic.update(compacted(topic.config));
    const { config } = topic;
    const refused: Partial<TopicConfig>[] = [
      { keyState: false, compaction: false },
      { partitions: 1 },
      { name: 'u' },
      { durability: 'memory' },
      { bytesMax: 0 },
    ];
    for (const change of refused) {
      assert.throws(() => topic.checkUpdate({ ...config, ...change }), { code: 'topic-config-invalid' });
      await assert.rejects(topic.update({ ...config, ...change }), { code: 'topic-config-invalid' });
    }
    assert.equal(topic.config, config);
    await topic.update({ ...config, compaction: false });
    assert.equal(topic.config.keyState, true);
  });
});

test('the keys of many messages removed at once are accounted for in slices', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders', durability: 'memory', keyState: true });
  const count = 50_000;
  const record = recordOf({ key: 'k', value: Buffer.alloc(128) });
  const listener = { published: () => {}, refused: (_: unknown, error: Error) => assert.fail(error) };
  for (let i = 0; i < count; i++) topic.publish(record, undefined, listener, undefined);
  await kit.settle();
  const partition = topic.partitions.at(0)!;
  partition.trim(count - 1);
  partition.accounting.runSoon();
  const left = (): number => partition.keyIndex!.get('k')!.count;
  let most = 0;
  for (let before = count; before > 1; before = left()) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    most = Math.max(most, before - left());
  }
  assert.ok(most <= 8192, `${most} in one turn`);
});
