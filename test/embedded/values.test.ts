import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { bytes, json, text, ValueError, type Codec, type StandardSchema } from '../../src/index.ts';
import { eventually } from '../support/index.ts';
import { collect, openTestBox } from './kit.ts';

describe('values', () => {
  test('without codec or schema are JSON, and come out as they went in', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('things');
    const values = [{ a: [1, { b: null }] }, 'text', '', 12.5, true, null, [], 'zwölf'];
    await topic.publishBatch(values);
    assert.deepEqual(
      (await collect(topic.browse())).map(({ value }) => value),
      values,
    );
    assert.equal(Buffer.from((await topic.get(1))!.bytes!).toString(), '"text"');
  });

  test('that are not JSON are refused, with advice', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('things');
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const value of [undefined, () => 1, Symbol('s'), 10n, circular]) {
      await assert.rejects(topic.publish(value), { name: 'ValueError', code: 'value-invalid' });
    }
    await assert.rejects(topic.publish(new Uint8Array(3)), /codec: bytes/);
    assert.equal(topic.count, 0);
  });

  test('can be text, bytes, or JSON of a given type', async () => {
    await using t = await openTestBox();
    const notes = await t.box.topic('notes', { codec: text });
    await notes.publish('as it is');
    const note: string = (await notes.get(0))!.value;
    assert.equal(note, 'as it is');
    assert.equal(Buffer.from((await notes.get(0))!.bytes!).toString(), 'as it is');
    const blobs = await t.box.topic('blobs', { codec: bytes });
    await blobs.publish(Uint8Array.of(0, 255, 128));
    const blob: Uint8Array = (await blobs.get(0))!.value;
    assert.deepEqual([...blob], [0, 255, 128]);
    const orders = await t.box.topic('orders', { codec: json<{ id: number }>() });
    // @ts-expect-error: the codec's type is the topic's
    await orders.publish({ name: 'x' });
    await orders.publish({ id: 7 });
    const id: number = (await orders.get(1))!.value.id;
    assert.equal(id, 7);
  });

  test('can have a codec of their own, also one that takes its time', async () => {
    await using t = await openTestBox();
    const dates: Codec<Date> = {
      encode: async (date) => date.toISOString(),
      decode: async (bytes) => new Date(Buffer.from(bytes ?? []).toString()),
    };
    const topic = await t.box.topic('dates', { codec: dates });
    await topic.publish(new Date(0));
    await topic.publishBatch([new Date(1), new Date(2)]);
    const group = await topic.group('g');
    for (const ms of [0, 1, 2]) assert.equal((await group.next())?.value.getTime(), ms);
  });

  test('one topic can be opened with several codecs', async () => {
    await using t = await openTestBox();
    await (await t.box.topic('things')).publish({ a: 1 });
    const raw = await t.box.topic('things', { codec: text });
    assert.equal((await raw.get(0))?.value, '{"a":1}');
  });

  test('that cannot be read are thrown by browse, with the place and the cause', async () => {
    await using t = await openTestBox();
    await (await t.box.topic('things', { codec: text })).publish('{ not json');
    const topic = await t.box.topic('things');
    await assert.rejects(topic.get(0), (error) => {
      assert.ok(error instanceof ValueError);
      assert.match(error.message, /Message 0 of topic "things" \(partition 0\): The value is not JSON/);
      return true;
    });
  });

  test('that cannot be read never reach a consumer: they are dead letters', async () => {
    await using t = await openTestBox();
    await (await t.box.topic('things', { codec: text })).publishBatch(['{ not json', '1', 'nor this', '2']);
    const topic = await t.box.topic('things');
    const seen: unknown[] = [];
    const loop = await topic.group('loop');
    for await (const message of loop.deliveries({ prefetch: 3 })) {
      seen.push(message.value);
      void message.ack();
      if (message.value === 2) break;
    }
    await loop.drained();
    assert.deepEqual(seen, [1, 2]);
    const batches = await topic.group('batches');
    for await (const batch of batches.batches()) {
      assert.deepEqual(batch.values, [1, 2]);
      await batch.ack();
      break;
    }
    const handled: unknown[] = [];
    const handler = await topic.group('handler');
    handler.consume(({ value }) => handled.push(value));
    await handler.drained();
    assert.deepEqual(handled, [1, 2]);
    for (const group of [loop, batches, handler]) {
      await group.drained();
      assert.equal(group.deadLetters.count, 2, group.name);
      const letters = await collect(t.box.deadLetters(group.deadLetters.topic!).browse({ limit: 1 })).catch(
        (error: unknown) => error,
      );
      assert.ok(letters instanceof ValueError, 'as JSON it cannot be read there either');
      const raw = await t.box.topic(group.deadLetters.topic!, { codec: text });
      const [letter] = await collect(raw.browse({ limit: 1 }));
      assert.equal(letter?.value, '{ not json');
      assert.match(letter.origin!.cause, /^rejected: .*not JSON/);
    }
  });
});

describe('a schema', () => {
  const Order = z.object({
    id: z.number(),
    note: z.string().default('none'),
    at: z.string().transform((s) => new Date(s)),
  });

  test('gives the types of published and of consumed values', async () => {
    await using t = await openTestBox();
    const orders = await t.box.topic('orders', { schema: Order, key: (order) => `order.${order.id}` });
    await orders.publish({ id: 1, at: '2026-01-02T03:04:05Z' });
    const message = await (await orders.group('g')).next();
    const note: string = message!.value.note;
    const at: Date = message!.value.at;
    assert.equal(note, 'none');
    assert.equal(at.getUTCFullYear(), 2026);
    assert.equal(message!.key, 'order.1');
    // The stored value is the published one.
    assert.equal(Buffer.from(message!.bytes!).toString(), '{"id":1,"at":"2026-01-02T03:04:05Z"}');
  });

  test('refuses wrong values, when compiled and when run', async () => {
    await using t = await openTestBox();
    const orders = await t.box.topic('orders', { schema: Order });
    // @ts-expect-error: id is a number
    const wrong = orders.publish({ id: 'one', at: 'x' });
    await assert.rejects(wrong, (error) => {
      assert.ok(error instanceof ValueError);
      assert.deepEqual(
        error.issues.map(({ path }) => path),
        [['id']],
      );
      assert.match(error.message, /id: /);
      return true;
    });
    // @ts-expect-error: of the second one, too
    await assert.rejects(orders.publishBatch([{ id: 1, at: 'x' }, { id: 2 }]), { code: 'value-invalid' });
    assert.equal(orders.count, 0);
  });

  test('keeps stored messages that do not fit from consumers', async () => {
    await using t = await openTestBox();
    await (await t.box.topic('orders')).publishBatch([{ id: 'one' }, { id: 2, at: '2026-01-01' }]);
    const group = await (await t.box.topic('orders', { schema: Order })).group('g');
    assert.equal((await group.next())?.value.id, 2);
    await eventually(() => group.deadLetters.count === 1); // once it is on disk
  });

  test('may validate asynchronously, and be of any library', async () => {
    await using t = await openTestBox();
    const even: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) =>
          typeof value === 'number' && value % 2 === 0
            ? { value }
            : { issues: [{ message: 'not even', path: [{ key: 'a' }, 0] }] },
      },
    };
    const topic = await t.box.topic('numbers', { schema: even });
    await topic.publish(2);
    await assert.rejects(topic.publish(3), /a\.0: not even/);
    await (await t.box.topic('numbers')).publishBatch([5, 4]);
    const group = await topic.group('g');
    assert.equal((await group.next())?.value, 2);
    assert.equal((await group.next())?.value, 4);
  });
});
