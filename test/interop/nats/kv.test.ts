import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import { eventually, parallel, uniqueName } from '../../support/index.ts';
import { collect, rejectsWithCode, take, useNats } from './clients.ts';

describe('key-value store with @nats-io/kv', parallel, () => {
  const { js, jsm, addStream } = useNats();
  const create = (options: Parameters<Kvm['create']>[1] = {}): Promise<KV> =>
    new Kvm(js()).create(uniqueName('bucket'), options);
  const text = (entry: KvEntry | null): string | undefined => entry?.string();

  test('put and get', async () => {
    const kv = await create();
    assert.equal(await kv.put('a', 'one'), 1);
    assert.equal(await kv.put('b.c', 'two'), 2);
    const entry = await kv.get('a');
    assert.equal(text(entry), 'one');
    assert.equal(entry?.revision, 1);
    assert.equal(entry.operation, 'PUT');
    assert.equal(entry.key, 'a');
    assert.equal(text(await kv.get('b.c')), 'two');
    assert.equal(await kv.get('none'), null);
    assert.equal(await kv.put('a', 'three'), 3);
    assert.equal(text(await kv.get('a')), 'three');
  });

  test('history one: the older revision is gone', async () => {
    const kv = await create();
    await kv.put('a', 'one');
    await kv.put('a', 'two');
    assert.equal(await kv.get('a', { revision: 1 }), null);
    assert.equal(text(await kv.get('a', { revision: 2 })), 'two');
  });

  test('history', async () => {
    const kv = await create({ history: 3 });
    for (const value of ['1', '2', '3', '4']) await kv.put('a', value);
    await kv.put('b', 'x');
    assert.deepEqual((await collect(await kv.history({ key: 'a' }))).map(text), ['2', '3', '4']);
    assert.equal((await collect(await kv.history())).length, 4);
  });

  test('create only where there is nothing', async () => {
    const kv = await create();
    assert.equal(await kv.create('a', 'one'), 1);
    await rejectsWithCode(kv.create('a', 'two'), 10071);
    await kv.delete('a');
    assert.equal(await kv.create('a', 'again'), 3);
    assert.equal(text(await kv.get('a')), 'again');
  });

  test('update only from the expected revision', async () => {
    const kv = await create();
    const revision = await kv.create('a', 'one');
    const next = await kv.update('a', 'two', revision);
    await rejectsWithCode(kv.update('a', 'lost', revision), 10071);
    assert.equal(text(await kv.get('a')), 'two');
    await kv.update('a', 'three', next);
  });

  test('of many updates at once, one wins', async () => {
    const kv = await create();
    const revision = await kv.create('a', '0');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => kv.update('a', `${i}`, revision)),
    );
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  });

  test('delete leaves a marker and the history', async () => {
    const kv = await create({ history: 5 });
    await kv.put('a', 'one');
    await kv.put('a', 'two');
    await kv.delete('a');
    const entry = await kv.get('a');
    assert.equal(entry?.operation, 'DEL');
    assert.equal(entry.length, 0);
    assert.deepEqual(
      (await collect(await kv.history({ key: 'a' }))).map((item) => item.operation),
      ['PUT', 'PUT', 'DEL'],
    );
    assert.deepEqual(await collect(await kv.keys()), []);
  });

  test('purge removes the history', async () => {
    const kv = await create({ history: 5 });
    await kv.put('a', 'one');
    await kv.put('b', 'stays');
    await kv.put('a', 'two');
    await kv.purge('a');
    assert.deepEqual(
      (await collect(await kv.history({ key: 'a' }))).map((item) => item.operation),
      ['PURGE'],
    );
    assert.equal(text(await kv.get('b')), 'stays');
  });

  test('delete and purge from the expected revision', async () => {
    const kv = await create();
    await kv.put('a', 'one');
    await rejectsWithCode(kv.delete('a', { previousSeq: 9 }), 10071);
    await rejectsWithCode(kv.purge('a', { previousSeq: 9 }), 10071);
    await kv.delete('a', { previousSeq: 1 });
  });

  test('keys, with filters', async () => {
    const kv = await create();
    for (const key of ['a', 'b.x', 'b.y', 'c']) await kv.put(key, '');
    await kv.delete('c');
    assert.deepEqual((await collect(await kv.keys())).sort(), ['a', 'b.x', 'b.y']);
    assert.deepEqual((await collect(await kv.keys('b.*'))).sort(), ['b.x', 'b.y']);
    assert.deepEqual((await collect(await kv.keys(['a', 'b.y']))).sort(), ['a', 'b.y']);
  });

  test('watch: the last values, then changes', async () => {
    const kv = await create();
    await kv.put('a', '1');
    await kv.put('b', '2');
    const watch = await kv.watch();
    const seen = take(watch, 4);
    await eventually(() => watch.getReceived() >= 2);
    await kv.put('a', '3');
    await kv.delete('b');
    const entries = await seen;
    assert.deepEqual(
      entries.map((entry) => `${entry.operation} ${entry.key} ${entry.string()}`),
      ['PUT a 1', 'PUT b 2', 'PUT a 3', 'DEL b '],
    );
  });

  test('watch some keys, updates only', async () => {
    const kv = await create();
    await kv.put('a.x', 'old');
    const watch = await kv.watch({ key: 'a.*', include: 'updates' });
    await kv.put('b.x', 'other');
    await kv.put('a.y', 'new');
    const [entry] = await take(watch, 1);
    assert.equal(entry?.key, 'a.y');
  });

  test('watch with history, without deletes, headers only', async () => {
    const kv = await create({ history: 4 });
    for (const value of ['1', '2']) await kv.put('a', value);
    await kv.delete('a');
    await kv.put('a', '3');
    assert.deepEqual((await take(await kv.watch({ include: 'history' }), 4)).map(text), ['1', '2', '', '3']);
    assert.deepEqual((await take(await kv.watch({ include: 'history', ignoreDeletes: true }), 3)).map(text), [
      '1',
      '2',
      '3',
    ]);
    const [bare] = await take(await kv.watch({ headers_only: true }), 1);
    assert.equal(bare?.length, 1);
    assert.equal(bare?.value.length, 0);
  });

  test('watch from a revision', async () => {
    const kv = await create({ history: 10 });
    for (const value of ['1', '2', '3', '4']) await kv.put('a', value);
    assert.deepEqual((await take(await kv.watch({ resumeFromRevision: 3 }), 2)).map(text), ['3', '4']);
  });

  test('status', async () => {
    const kv = await create({
      history: 7,
      description: 'settings',
      maxValueSize: 100,
      max_bytes: 10_000,
      ttl: 60_000,
    });
    await kv.put('a', '1');
    await kv.put('a', '2');
    const status = await kv.status();
    assert.equal(status.values, 2);
    assert.equal(status.history, 7);
    assert.equal(status.description, 'settings');
    assert.equal(status.maxValueSize, 100);
    assert.equal(status.max_bytes, 10_000);
    assert.equal(status.ttl, 60_000);
    assert.ok(status.size > 0);
    await rejectsWithCode(kv.put('b', 'x'.repeat(101)), 10054);
  });

  test('values expire after the ttl of the bucket', async () => {
    const kv = await create({ ttl: 3000 });
    await kv.put('a', '1');
    assert.equal(text(await kv.get('a')), '1');
    await eventually(async () => (await kv.get('a')) === null);
  });

  test('a bucket is a stream with known settings', async () => {
    const kv = await create({ history: 2 });
    const { bucket, streamInfo } = await kv.status();
    const { config } = streamInfo;
    assert.equal(config.name, `KV_${bucket}`);
    assert.deepEqual(config.subjects, [`$KV.${bucket}.>`]);
    assert.equal(config.max_msgs_per_subject, 2);
    assert.equal(config.discard, 'new');
    assert.equal(config.allow_rollup_hdrs, true);
  });

  test('gets go by direct get where the bucket allows it', async () => {
    const kv = await create({ allow_direct: true, history: 2 });
    assert.equal((await kv.status()).streamInfo.config.allow_direct, true);
    await kv.put('a', '1');
    await kv.put('a', '2');
    assert.equal(text(await kv.get('a')), '2');
    assert.equal(text(await kv.get('a', { revision: 1 })), '1');
    assert.equal(await kv.get('b'), null);
  });

  test('opening, listing and destroying buckets', async () => {
    const name = uniqueName('bucket');
    const kvm = new Kvm(js());
    const kv = await kvm.create(name);
    await kv.put('a', '1');
    assert.equal(text(await (await kvm.open(name)).get('a')), '1');
    await addStream();
    const buckets = (await collect(kvm.list())).map((status) => status.bucket);
    assert.ok(buckets.includes(name), buckets.join());
    assert.equal(await kv.destroy(), true);
    await rejectsWithCode(jsm().streams.info(`KV_${name}`), 10059);
  });

  test('a value of a megabyte, bytes of every kind', async () => {
    const kv = await create();
    const value = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) & 0xff);
    await kv.put('big', value);
    assert.ok(Buffer.from(value).equals((await kv.get('big'))?.value ?? Buffer.alloc(0)));
    await kv.put('empty', '');
    assert.equal((await kv.get('empty'))?.length, 0);
  });
});
