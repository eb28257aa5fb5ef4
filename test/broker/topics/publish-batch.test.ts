import assert from 'node:assert/strict';
import { gzipSync, gunzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { Broker, type Topic, type TopicOptions } from '../../../src/broker/index.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../../src/util/index.ts';
import {
  Compression,
  encodeRecordBatch,
  splitBatches,
  type RecordBatchOptions,
} from '../../../src/wire/kafka/index.ts';
import { TestConsumer, text } from '../kit.ts';

/** A broker on a disk that loses unsynced data. */
class Kit implements AsyncDisposable {
  files = new FaultyFiles();
  readonly clock = new VirtualClock();
  broker!: Broker;

  static async open(): Promise<Kit> {
    const kit = new Kit();
    await kit.#start();
    return kit;
  }

  async #start(): Promise<void> {
    this.broker = await Broker.open({
      dir: 'data',
      files: this.files,
      clock: this.clock,
      random: new SeededRandom(1),
      log: {
        journalFileBytes: 256 * 1024,
        decompress: (codec, bytes) => {
          if (codec !== Compression.gzip) throw new Error('only gzip here');
          return gunzipSync(bytes);
        },
      },
      memoryBytes: () => 0,
    });
  }

  async topic(options: Partial<TopicOptions> = {}): Promise<Topic> {
    return this.broker.createTopic({ name: 'orders', ...options });
  }

  get orders(): Topic {
    return this.broker.topic('orders')!;
  }

  async restart(): Promise<void> {
    await this.broker.close();
    await this.#start();
  }

  async crash(): Promise<void> {
    const { broker } = this;
    this.files = this.files.crash('power', new SeededRandom(3));
    await broker.close();
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }
}

interface Answer {
  readonly offset: number;
  readonly duplicate: boolean;
}

function publish(topic: Topic, batch: Uint8Array, partition = 0): Promise<Answer> {
  return new Promise((resolve, reject) => {
    topic.publishBatch(
      partition,
      batch,
      {
        published: (_, __, offset, duplicate) => resolve({ offset, duplicate }),
        refused: (_, error) => reject(error),
      },
      undefined,
    );
  });
}

interface Draft extends RecordBatchOptions {
  readonly values?: readonly string[];
  readonly keys?: readonly string[];
}

function batch({ values = ['a', 'b'], keys = [], ...options }: Draft = {}): Buffer {
  return encodeRecordBatch(
    values.map((value, at) => ({
      value: Buffer.from(value),
      key: keys[at] === undefined ? null : Buffer.from(keys[at]),
      timestampMs: 1000 + at,
    })),
    options,
  );
}

function produced(
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  values = ['a', 'b'],
): Buffer {
  return batch({ values, producerId, producerEpoch, baseSequence });
}

const gzip = { codec: Compression.gzip, compress: (bytes: Uint8Array) => gzipSync(bytes) };

async function valuesOf(topic: Topic): Promise<string[]> {
  const values: string[] = [];
  for await (const record of topic.partitions.at(0)!.scan(0)) values.push(text(record.value));
  return values;
}

describe('a batch that comes whole', () => {
  test('is stored as it came but for its offset, and is read message by message too', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    await topic.send({ value: 'first' });
    const sent = batch({ compression: gzip });
    const before = Buffer.from(sent);
    assert.deepEqual(await publish(topic, sent), { offset: 1, duplicate: false });
    assert.equal(topic.count, 3);
    await topic.send({ value: 'last' });
    const { buffers: stored } = await topic.partitions.at(0)!.readBatches(1, 1, true);
    assert.equal(stored.length, 1);
    assert.deepEqual(Buffer.from(stored[0]!).subarray(16), before.subarray(16));
    assert.equal(splitBatches(stored[0]!)[0]!.baseOffset, 1);
    assert.deepEqual(await valuesOf(topic), ['first', 'a', 'b', 'last']);
    await kit.crash();
    assert.deepEqual(await valuesOf(kit.orders), ['first', 'a', 'b', 'last']);
  });

  test('is refused if it is not one, or its records contradict its header', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    const flipped = batch();
    flipped[70]! ^= 1;
    await assert.rejects(publish(topic, flipped), { code: 'batch-invalid' });
    await assert.rejects(publish(topic, batch().subarray(0, 40)), { code: 'batch-invalid' });
    await assert.rejects(publish(topic, batch(), 1), { code: 'not-allowed' });
    assert.equal(topic.count, 0);
    assert.deepEqual(await publish(topic, batch()), { offset: 0, duplicate: false });
  });

  test('counts in keys, filters and limits like single messages, compressed or not, and after a restart', async () => {
    for (const compression of [undefined, gzip]) {
      await using kit = await Kit.open();
      const topic = await kit.topic({ messagesPerKeyMax: 1 });
      const group = await topic.createGroup({ name: 'g', filters: ['x'] });
      const options = compression === undefined ? {} : { compression };
      await publish(topic, batch({ values: ['1', '2', '3'], keys: ['x', 'y', 'x'], ...options }));
      assert.deepEqual(await valuesOf(topic), ['2', '3']);
      assert.equal(topic.partitions.at(0)!.keyCount, 2);
      assert.equal(group.lag, 1);
      const consumer = new TestConsumer();
      group.attach(consumer);
      await publish(topic, batch({ values: ['4'], keys: ['x'], ...options }));
      await new Promise<void>((resolve) => kit.broker.afterCommit(resolve));
      await kit.crash();
      assert.deepEqual(await valuesOf(kit.orders), ['2', '4']);
      assert.equal(kit.orders.partitions.at(0)!.keyCount, 2);
    }
  });

  test('goes by the limits of its topic', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic({ messagesMax: 3, overflow: 'reject', messageBytesMax: 50 });
    await publish(topic, batch());
    await assert.rejects(publish(topic, batch()), { code: 'topic-full' });
    await publish(topic, batch({ values: ['c'] }));
    await assert.rejects(publish(topic, batch({ values: ['x'.repeat(60)] })), { code: 'message-too-large' });
    await topic.update({ ...topic.config, overflow: 'drop-oldest' });
    await publish(topic, batch({ values: ['d', 'e'] }));
    assert.deepEqual(await valuesOf(topic), ['c', 'd', 'e']);
    await topic.update({ ...topic.config, sealed: true });
    await assert.rejects(publish(topic, batch()), { code: 'not-allowed' });
  });

  test('is refused when the topic must look into it and cannot', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic({ keyState: true });
    const compression = { codec: Compression.gzip, compress: () => Buffer.from('no gzip at all') };
    await assert.rejects(publish(topic, batch({ compression })), { code: 'message-invalid' });
    const unknown = { codec: Compression.zstd, compress: (bytes: Uint8Array) => bytes };
    await assert.rejects(publish(topic, batch({ compression: unknown })), { code: 'message-invalid' });
    assert.equal(topic.count, 0);
  });

  test('has a key for each message, or a compacted topic refuses it', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic({ compaction: true });
    for (const keys of [['x'], []])
      await assert.rejects(publish(topic, batch({ values: ['1', '2'], keys })), { code: 'message-invalid' });
    assert.equal(topic.count, 0);
    await publish(topic, batch({ values: ['1', '2'], keys: ['x', ''] }));
    assert.equal(topic.count, 2);
  });

  test('is not kept if no group is interested', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic({ retention: 'interest' });
    await publish(topic, batch());
    assert.equal(topic.count, 0);
    const group = await topic.createGroup({ name: 'g', filters: ['x'] });
    await publish(topic, batch({ values: ['1', '2'], keys: ['x', 'y'] }));
    assert.deepEqual(await valuesOf(topic), ['1']);
    assert.equal(group.lag, 1);
  });

  test('is durable before it is acknowledged or delivered', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    const partition = topic.partitions.at(0)!;
    let grown = 0;
    partition.watch({ grew: () => grown++ });
    const published = publish(topic, batch());
    assert.equal(partition.nextOffset, 2);
    assert.equal(partition.durableEnd, 0);
    assert.deepEqual((await partition.readBatches(0, 1000, true)).buffers, []);
    await published;
    assert.equal(partition.durableEnd, 2);
    assert.equal(grown, 1);
  });
});

describe('reading batches', () => {
  test('leaves out removed messages, and says how far the rest goes', async () => {
    for (const compression of [undefined, gzip]) {
      await using kit = await Kit.open();
      const topic = await kit.topic();
      const partition = topic.partitions.at(0)!;
      const options = compression === undefined ? {} : { compression };
      await publish(topic, batch({ values: ['a', 'b', 'c'], ...options }));
      await publish(topic, batch({ values: ['d', 'e'], ...options }));
      const read = async (from: number): Promise<[number, number, number][]> =>
        (await partition.readBatches(from, 10_000, true)).buffers.map((bytes) => {
          const [one] = splitBatches(bytes);
          assert.ok(one!.isIntact);
          return [one!.baseOffset, one!.lastOffsetDelta, one!.isControl ? 0 : one!.count];
        });
      assert.deepEqual(await read(0), [
        [0, 2, 3],
        [3, 1, 2],
      ]);
      await partition.delete(1);
      assert.deepEqual(await read(0), [
        [0, 2, 2],
        [3, 1, 2],
      ]);
      await partition.delete(3);
      await partition.delete(4);
      assert.deepEqual(await read(0), [[0, 2, 2]]);
      assert.deepEqual(await read(3), [[3, 1, 0]]);
      await partition.purge();
      assert.deepEqual(await read(2), [[2, 2, 0]]);
      assert.deepEqual(await read(5), []);
    }
  });
});

describe('an idempotent producer', () => {
  test('has a batch stored once, and hears its offset again', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    assert.deepEqual(await publish(topic, produced(7, 0, 0)), { offset: 0, duplicate: false });
    assert.deepEqual(await publish(topic, produced(7, 0, 2)), { offset: 2, duplicate: false });
    assert.deepEqual(await publish(topic, produced(7, 0, 0)), { offset: 0, duplicate: true });
    assert.equal(topic.count, 4);
  });

  test('is told of a gap, of an old epoch, and of a new one that does not begin at 0', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    await publish(topic, produced(7, 3, 10)); // unknown: any sequence
    await assert.rejects(publish(topic, produced(7, 3, 13)), { code: 'sequence-gap' });
    await assert.rejects(publish(topic, produced(7, 3, 11)), { code: 'sequence-gap' });
    await assert.rejects(publish(topic, produced(7, 2, 12)), { code: 'producer-fenced' });
    await assert.rejects(publish(topic, produced(7, 4, 12)), { code: 'sequence-gap' });
    await publish(topic, produced(7, 4, 0));
    await assert.rejects(publish(topic, produced(7, 3, 12)), { code: 'producer-fenced' });
    await publish(topic, produced(8, 0, 5));
    assert.equal(topic.count, 6);
  });

  test('is remembered for five batches, and its numbers go around', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    const last = 2 ** 31 - 1;
    await publish(topic, produced(7, 0, last - 2));
    assert.deepEqual(await publish(topic, produced(7, 0, last)), { offset: 2, duplicate: false });
    for (let i = 0; i < 4; i++) await publish(topic, produced(7, 0, 1 + 2 * i));
    assert.deepEqual(await publish(topic, produced(7, 0, last)), { offset: 2, duplicate: true });
    await assert.rejects(publish(topic, produced(7, 0, last - 2)), { code: 'sequence-gap' });
  });

  test('is remembered over a stop and over a crash', async () => {
    await using kit = await Kit.open();
    await kit.topic();
    await publish(kit.orders, produced(7, 0, 0));
    await kit.restart(); // from the checkpoint
    assert.deepEqual(await publish(kit.orders, produced(7, 0, 0)), { offset: 0, duplicate: true });
    await publish(kit.orders, produced(7, 0, 2));
    await kit.crash(); // from the journal on top of it
    assert.deepEqual(await publish(kit.orders, produced(7, 0, 2)), { offset: 2, duplicate: true });
    await assert.rejects(publish(kit.orders, produced(7, 0, 6)), { code: 'sequence-gap' });
    assert.deepEqual(await publish(kit.orders, produced(7, 0, 4)), { offset: 4, duplicate: false });
  });

  test('is forgotten after a day of silence', async () => {
    await using kit = await Kit.open();
    const topic = await kit.topic();
    await publish(topic, produced(7, 0, 0));
    kit.clock.advance(24 * 60 * 60 * 1000 + 1);
    await publish(topic, produced(8, 0, 0));
    assert.equal(topic.partitions.at(0)!.producers.size, 1);
    assert.deepEqual(await publish(topic, produced(7, 0, 0)), { offset: 4, duplicate: false });
  });

  test('gets an id that was never used, not even before a crash', async () => {
    await using kit = await Kit.open();
    const ids = new Set<number>();
    for (let i = 0; i < 1100; i++) ids.add(await kit.broker.nextProducerId());
    await kit.crash();
    for (let i = 0; i < 10; i++) ids.add(await kit.broker.nextProducerId());
    await kit.restart();
    for (let i = 0; i < 10; i++) ids.add(await kit.broker.nextProducerId());
    assert.equal(ids.size, 1120);
  });
});
