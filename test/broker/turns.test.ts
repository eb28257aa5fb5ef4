/** Readers that look at much leave the event loop to others: counted in deferred steps of the clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../src/broker/index.ts';
import { MemoryFiles } from '../../src/log/index.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { encodeRecordBatch } from '../../src/wire/kafka/index.ts';
import { TestConsumer } from './kit.ts';

const mib = 2 ** 20;

class CountingClock extends VirtualClock {
  deferred = 0;

  override defer(callback: () => void): void {
    this.deferred++;
    super.defer(callback);
  }
}

/** Every batch opens to 2 MiB that hold one record with this key. */
const recordOf = (key: string): Uint8Array => {
  const batch = encodeRecordBatch([{ key: Buffer.from(key), value: Buffer.alloc(2 * mib), timestampMs: 1 }]);
  return batch.subarray(61);
};

async function openBroker(clock: VirtualClock, opened: { bytesMax: number[] }): Promise<Broker> {
  return Broker.open({
    dir: 'data',
    files: new MemoryFiles(),
    clock,
    random: new SeededRandom(1),
    memoryBytes: () => 0,
    log: {
      journalFileBytes: mib,
      decompress: (_, __, bytesMax) => {
        opened.bytesMax.push(bytesMax);
        return recordOf('k');
      },
    },
  });
}

/** A topic of so many batches of a few bytes each. */
async function fill(broker: Broker, batches: number): Promise<void> {
  const topic = await broker.createTopic({ name: 't' });
  const batch = encodeRecordBatch([{ key: Buffer.from('k'), value: null, timestampMs: 1 }], {
    compression: { codec: 1, compress: () => Buffer.from('small') },
  });
  for (let at = 0; at < batches; at++)
    await new Promise<void>((resolve, reject) =>
      topic.publishBatch(
        0,
        batch,
        { published: () => resolve(), refused: (_, error) => reject(error) },
        undefined,
      ),
    );
}

test('the work of few bytes is in proportion to them', async () => {
  const opened = { bytesMax: [] as number[] };
  await using broker = await openBroker(new VirtualClock(), opened);
  await fill(broker, 1);
  for await (const _ of broker.topic('t')!.partitions.at(0)!.scan(0)) break;
  assert.equal(opened.bytesMax.length, 1);
  assert.ok(opened.bytesMax[0]! > 8 * mib && opened.bytesMax[0]! < 9 * mib, `${opened.bytesMax[0]}`);
});

test('a scan that opens large batches pauses after each', async () => {
  const clock = new CountingClock();
  await using broker = await openBroker(clock, { bytesMax: [] });
  await fill(broker, 20);
  const before = clock.deferred;
  for await (const _ of broker
    .topic('t')!
    .partitions.at(0)!
    .scan(0, { patterns: ['another'] }))
    assert.fail();
  assert.ok(clock.deferred - before >= 20, `${clock.deferred - before} pauses`);
});

test('so does a group that looks for other keys', async () => {
  const clock = new CountingClock();
  await using broker = await openBroker(clock, { bytesMax: [] });
  await fill(broker, 20);
  const group = await broker.topic('t')!.createGroup({ name: 'g', filters: ['another'] });
  const before = clock.deferred;
  group.attach(new TestConsumer());
  for (let round = 0; round < 200 && group.positions.at(0)!.cursor < 20; round++)
    await new Promise((resolve) => setImmediate(resolve));
  assert.ok(clock.deferred - before >= 19, `${clock.deferred - before} pauses`);
});

test('a scan of messages in memory that match nothing pauses now and then', async () => {
  const clock = new CountingClock();
  await using broker = await openBroker(clock, { bytesMax: [] });
  const topic = await broker.createTopic({ name: 't' });
  for (let at = 0; at < 80; at++) await topic.send({ key: 'k', value: 'x'.repeat(100_000) });
  const before = clock.deferred;
  for await (const _ of topic.partitions.at(0)!.scan(0, { patterns: ['another'] })) assert.fail();
  assert.ok(clock.deferred - before >= 6, `${clock.deferred - before} pauses`);
});
