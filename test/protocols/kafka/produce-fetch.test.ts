import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, test } from 'node:test';
import { Compression, ErrorCode, splitBatches } from '../../../src/wire/kafka/index.ts';
import { crc32c } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { HeldFiles } from '../../support/held-files.ts';
import { KafkaKit, batchOf, fetchRequest, produceRequest, text } from './kit.ts';

describe('produce', () => {
  test('answers with the offset, in every version that is served, and fetch gives the same bytes back', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    for (let version = 3; version <= 11; version++) {
      const batch = batchOf([`v${version}`, 'x'], { keys: ['k'] });
      const answer = await client.produce('t', batch, { version });
      assert.deepEqual([answer.errorCode, answer.baseOffset], [0, (version - 3) * 2]);
      const fetched = await client.fetch('t', answer.baseOffset, { maxWaitMs: 0 });
      const [stored] = splitBatches(fetched.records!);
      assert.deepEqual(Buffer.from(stored!.bytes).subarray(16), batch.subarray(16));
      assert.equal(stored!.baseOffset, answer.baseOffset);
    }
  });

  test('is answered in the order of the requests, each partition for itself', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 2);
    const sent = Array.from({ length: 20 }, (_, at) =>
      client.send('Produce', 9, produceRequest('t', batchOf([`${at}`]), at % 2)),
    );
    for (const [at, id] of sent.entries()) {
      const { responses } = await client.receive('Produce', 9, id);
      assert.equal(responses[0]!.partitionResponses[0]!.baseOffset, Math.floor(at / 2));
    }
    const { responses } = await client.call('Produce', 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 't',
          partitionData: [
            { index: 0, records: batchOf(['a']) },
            { index: 7, records: batchOf(['b']) },
          ],
        },
        { name: 'nowhere', partitionData: [{ index: 0, records: batchOf(['c']) }] },
      ],
    });
    assert.deepEqual(
      responses.map(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
      [[ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION], [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]],
    );
  });

  test('with acks 0 has no answer, and ends the connection when it is refused', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    client.send('Produce', 9, produceRequest('t', batchOf(['quiet']), 0, 0));
    assert.equal((await client.produce('t', batchOf(['loud']))).baseOffset, 1);
    client.send('Produce', 9, produceRequest('nowhere', batchOf(['lost']), 0, 0));
    await client.ended();
  });

  test('beyond the rate of the topic is refused for later, and the client is throttled', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const topic = kit.broker.topic('t')!;
    await topic.update({ ...topic.config, publishRate: { perSecond: 0.1, burst: 2 } });
    const produce = (values: readonly string[]) =>
      client.call('Produce', 9, produceRequest('t', batchOf(values), 0, -1));
    assert.equal((await produce(['a', 'b'])).throttleTimeMs, 0);
    const { responses, throttleTimeMs } = await produce(['c', 'd']);
    assert.equal(responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.NOT_ENOUGH_REPLICAS);
    assert.ok(throttleTimeMs > 15_000 && throttleTimeMs <= 20_000, `${throttleTimeMs}`);
  });

  test('is refused in Kafka’s words', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 1, { 'max.message.bytes': '200' });
    const codeOf = async (batch: Uint8Array, options = {}): Promise<number> =>
      (await client.produce('t', batch, options)).errorCode;
    const flipped = batchOf(['flipped']);
    flipped[flipped.length - 1]! ^= 1;
    const old = batchOf(['old']);
    old[16] = 1;
    const future = batchOf(['future']);
    future[16] = 9;
    const counted = batchOf(['counted', 'wrong']);
    counted.writeInt32BE(3, 57);
    const misnumbered = batchOf(['first', 'second']);
    misnumbered[61 + 3] = 2; // the first record says that it is the second
    misnumbered.writeUInt32BE(crc32c(misnumbered, 21), 17);
    const broken = Buffer.concat([batchOf(['a']), batchOf(['b'])]);
    assert.equal(await codeOf(flipped), ErrorCode.CORRUPT_MESSAGE);
    assert.equal(await codeOf(counted), ErrorCode.CORRUPT_MESSAGE);
    assert.equal(await codeOf(misnumbered), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf(old), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf(future), ErrorCode.CORRUPT_MESSAGE);
    assert.equal(await codeOf(broken), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf(Buffer.alloc(0)), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf(batchOf(['x'.repeat(300)])), ErrorCode.MESSAGE_TOO_LARGE);
    assert.equal(await codeOf(batchOf(['c'], { isControl: true })), ErrorCode.INVALID_RECORD);
    assert.equal(await codeOf(batchOf(['x']), { acks: 2 }), ErrorCode.INVALID_REQUIRED_ACKS);
    assert.equal(
      await codeOf(batchOf(['s'], { producerId: 5, producerEpoch: 0, baseSequence: -1 })),
      ErrorCode.INVALID_RECORD,
    );
    assert.equal(
      await codeOf(batchOf(['s'], { producerId: 5, producerEpoch: 1, baseSequence: 4 })),
      ErrorCode.NONE,
    );
    assert.equal(
      await codeOf(batchOf(['s'], { producerId: 5, producerEpoch: 1, baseSequence: 9 })),
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    );
    assert.equal(
      await codeOf(batchOf(['s'], { producerId: 5, producerEpoch: 0, baseSequence: 5 })),
      ErrorCode.INVALID_PRODUCER_EPOCH,
    );
    assert.equal((await client.records('t')).length, 1);
  });

  test('of a repeated batch is answered with its first offset, over a crash too', async () => {
    await using kit = await KafkaKit.start();
    using first = await kit.client();
    await first.createTopic('t');
    const { producerId, producerEpoch, errorCode } = await first.call('InitProducerId', 4, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    });
    assert.deepEqual([errorCode, producerEpoch], [0, 0]);
    const batch = (): Buffer => batchOf(['once'], { producerId, producerEpoch, baseSequence: 0 });
    await first.produce('t', batchOf(['before']));
    assert.equal((await first.produce('t', batch())).baseOffset, 1);
    await kit.crash();
    using second = await kit.client();
    assert.equal((await second.produce('t', batch())).baseOffset, 1);
    assert.equal((await second.records('t')).length, 2);
    const other = await second.call('InitProducerId', 4, { transactionalId: null, transactionTimeoutMs: 0 });
    assert.notEqual(other.producerId, producerId);
  });

  test('cannot begin when the disk has failed, and hear so', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    kit.files.before = ({ kind }) => (kind === 'write' ? { code: 'EIO' } : undefined);
    assert.equal((await client.produce('t', batchOf(['m']))).errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
    const asked = await client.call('InitProducerId', 4, { transactionalId: null, transactionTimeoutMs: 0 });
    assert.deepEqual([asked.errorCode, asked.producerId], [ErrorCode.KAFKA_STORAGE_ERROR, -1]);
  });
});

describe('fetch', () => {
  test('waits for records, and not longer than it is told', async () => {
    await using kit = await KafkaKit.start();
    using reader = await kit.client();
    using writer = await kit.client();
    await writer.createTopic('t');
    const none = await reader.fetch('t', 0, { maxWaitMs: 30 });
    assert.deepEqual([none.errorCode, none.highWatermark, none.records?.length], [0, 0, 0]);
    const waiting = reader.fetch('t', 0, { maxWaitMs: 60_000 });
    await eventually(() => kit.frontend.listConnections()[0]!.underWay === 1);
    await writer.produce('t', batchOf(['now']));
    const some = await waiting;
    assert.deepEqual([some.highWatermark, splitBatches(some.records!).length], [1, 1]);
  });

  test('waits for as many bytes as it asks for', async () => {
    await using kit = await KafkaKit.start();
    using reader = await kit.client();
    using writer = await kit.client();
    await writer.createTopic('t');
    const waiting = reader.fetch('t', 0, { maxWaitMs: 60_000, minBytes: 1000 });
    for (let i = 0; i < 4; i++) await writer.produce('t', batchOf(['x'.repeat(300)]));
    assert.equal(splitBatches((await waiting).records!).length, 3);
  });

  test('gives at least one batch, and further ones as the limits allow', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    for (let i = 0; i < 3; i++) await client.produce('t', batchOf(['x'.repeat(1000)]));
    const count = async (maxBytes: number): Promise<number> =>
      splitBatches((await client.fetch('t', 0, { maxBytes })).records!).length;
    assert.equal(await count(1), 1);
    assert.equal(await count(2500), 2);
    assert.equal(await count(10_000), 3);
    const { responses } = await client.call('Fetch', 11, {
      ...fetchRequest('t', 0),
      maxBytes: 1,
      topics: [
        {
          topic: 't',
          partitions: [0, 0].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 })),
        },
      ],
    });
    assert.deepEqual(
      responses[0]!.partitions.map(({ records }) => (records?.length ?? 0) > 0),
      [true, false],
    );
  });

  test('shares the bytes of the request among its partitions, the first ones first', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 3);
    for (const partition of [0, 1, 2])
      for (let i = 0; i < 2; i++) await client.produce('t', batchOf(['x'.repeat(1000)]), { partition });
    const partitions = [0, 1, 2].map((partition) => ({
      partition,
      fetchOffset: 0,
      partitionMaxBytes: 1 << 20,
    }));
    const { responses } = await client.call('Fetch', 11, {
      ...fetchRequest('t', 0),
      maxBytes: 3500,
      topics: [{ topic: 't', partitions }],
    });
    assert.deepEqual(
      responses[0]!.partitions.map(({ records }) => splitBatches(records!).length),
      [2, 1, 0],
    );
  });

  test('answers errors at once: offsets, partitions, epochs, sessions, ids', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const { topicId } = await client.createTopic('t');
    await client.produce('t', batchOf(['a', 'b']));
    const codeOf = async (topic: string, offset: number, more = {}): Promise<number> => {
      const request = fetchRequest(topic, offset, { maxWaitMs: 60_000 });
      const [wanted] = request.topics;
      const partitions = wanted!.partitions.map((partition) => ({ ...partition, ...more }));
      const { responses } = await client.call('Fetch', 11, { ...request, topics: [{ topic, partitions }] });
      return responses[0]!.partitions.at(0)!.errorCode;
    };
    assert.equal(await codeOf('t', 3), ErrorCode.OFFSET_OUT_OF_RANGE);
    assert.equal(await codeOf('t', -5), ErrorCode.OFFSET_OUT_OF_RANGE);
    assert.equal(await codeOf('nowhere', 0), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf('t', 0, { partition: 4 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await codeOf('t', 0, { currentLeaderEpoch: 3 }), ErrorCode.UNKNOWN_LEADER_EPOCH);
    const session = await client.call('Fetch', 11, {
      ...fetchRequest('t', 0),
      sessionId: 9,
      sessionEpoch: 4,
    });
    assert.equal(session.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    const byId = async (id: string): Promise<number> => {
      const topics = [
        { topicId: id, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
      ];
      const { responses } = await client.call('Fetch', 16, { ...fetchRequest('t', 0), topics });
      return responses[0]!.partitions.at(0)!.errorCode;
    };
    assert.equal(await byId(topicId), ErrorCode.NONE);
    assert.equal(await byId('AAAAAAAAAAAAAAAAAAAAAA'), ErrorCode.UNKNOWN_TOPIC_ID);
    assert.equal(
      await byId(`${topicId.startsWith('B') ? 'C' : 'B'}${topicId.slice(1)}`),
      ErrorCode.UNKNOWN_TOPIC_ID,
    );
  });

  test('gives up its wait when the topic goes, and leaves nothing behind when the client does', async () => {
    await using kit = await KafkaKit.start();
    using one = await kit.client();
    await one.createTopic('t');
    const waiting = one.fetch('t', 0, { maxWaitMs: 60_000 });
    const two = await kit.client();
    two.send('Fetch', 11, fetchRequest('t', 0, { maxWaitMs: 60_000 }));
    await eventually(() => kit.frontend.listConnections().every(({ underWay }) => underWay === 1));
    two.socket.destroy();
    await eventually(() => kit.frontend.connections === 1);
    await kit.broker.topic('t')!.delete();
    assert.equal((await waiting).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('does not show deleted messages, and goes on after those that a queue has handled', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const topic = await kit.broker.createTopic({ name: 'q', retention: 'queue' });
    await client.produce('q', batchOf(['a', 'b', 'c']));
    await client.produce(
      'q',
      batchOf(['d'], { compression: { codec: Compression.gzip, compress: gzipSync } }),
    );
    await topic.partitions.at(0)!.delete(1);
    assert.deepEqual(
      (await client.records('q')).map(({ value }) => text(value)),
      ['a', 'c', 'd'],
    );
    await topic.partitions.at(0)!.purge({ before: 3 });
    assert.deepEqual(
      (await client.records('q')).map(({ value }) => text(value)),
      ['d'],
    );
    const log = await kit.broker.createTopic({ name: 'l' });
    await client.produce('l', batchOf(['a', 'b']));
    await log.partitions.at(0)!.purge({ before: 1 });
    const gone = await client.fetch('l', 0);
    assert.deepEqual([gone.errorCode, gone.logStartOffset], [ErrorCode.OFFSET_OUT_OF_RANGE, 1]);
    assert.deepEqual(
      (await client.records('l', 1)).map(({ value }) => text(value)),
      ['b'],
    );
  });
});

describe('offsets', () => {
  test('of the latest time are those of the newest message, also while it is on its way to the disk', async () => {
    const files = new HeldFiles();
    await using kit = await KafkaKit.start({}, { files });
    using client = await kit.client();
    using _ = files;
    await client.createTopic('t');
    const topic = kit.broker.topic('t')!;
    await topic.send({ value: 'a', timestampMs: 1_700_000_000_000 });
    files.hold();
    const sent = topic.send({ value: 'b', timestampMs: 1_700_000_000_001 });
    const answer = client.call('ListOffsets', 7, {
      replicaId: -1,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -3 }] }],
    });
    using other = await kit.client();
    for (let i = 0; i < 5; i++) await other.call('ListGroups', 4, {});
    files.letGo();
    await sent;
    const { offset, timestamp } = (await answer).topics[0]!.partitions[0]!;
    assert.deepEqual([offset, timestamp], [1, 1_700_000_000_001]);
  });

  test('are found by end, by time and by the latest time', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    await client.produce('t', batchOf(['a', 'b', 'c'])); // at 1700000000000, …1, …2
    await client.produce('t', batchOf(['d']));
    const at = async (timestamp: number, version = 7): Promise<[number, number, number]> => {
      const { topics } = await client.call('ListOffsets', version, {
        replicaId: -1,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
      });
      const [found] = topics[0]!.partitions;
      return [found!.errorCode, found!.offset, found!.timestamp];
    };
    assert.deepEqual(await at(-1), [0, 4, -1]);
    assert.deepEqual(await at(-2), [0, 0, -1]);
    assert.deepEqual(await at(-3), [0, 2, 1_700_000_000_002]);
    assert.deepEqual(await at(1_700_000_000_001), [0, 1, 1_700_000_000_001]);
    assert.deepEqual(await at(1_600_000_000_000), [0, 0, 1_700_000_000_000]);
    assert.deepEqual(await at(1_800_000_000_000), [0, -1, -1]);
    assert.equal((await at(-99))[0], ErrorCode.UNSUPPORTED_VERSION);
    assert.deepEqual(await at(-2, 1), [0, 0, -1]);
    // Names of times are of the versions that brought them; -6 is of a later one.
    const since: { readonly [name: number]: number } = { [-3]: 7, [-4]: 8, [-5]: 9, [-6]: 10 };
    for (const [name, first] of Object.entries(since))
      for (const version of [6, 7, 8, 9]) {
        const isKnown = version >= first;
        const { UNSUPPORTED_VERSION } = ErrorCode;
        assert.equal((await at(Number(name), version))[0], isKnown ? 0 : UNSUPPORTED_VERSION);
      }
    const epoch = await client.call('OffsetForLeaderEpoch', 4, {
      topics: [
        {
          topic: 't',
          partitions: [
            { partition: 0, leaderEpoch: 0 },
            { partition: 9, leaderEpoch: 0 },
          ],
        },
      ],
    });
    assert.deepEqual(
      epoch.topics[0]!.partitions.map(({ errorCode, endOffset }) => [errorCode, endOffset]),
      [
        [0, 4],
        [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1],
      ],
    );
    const { topics } = await client.call('DeleteRecords', 2, {
      timeoutMs: 1000,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, offset: 3 },
            { partitionIndex: 0, offset: 9 },
          ],
        },
      ],
    });
    assert.deepEqual(
      topics[0]!.partitions.map(({ errorCode, lowWatermark }) => [errorCode, lowWatermark]),
      [
        [0, 3],
        [ErrorCode.OFFSET_OUT_OF_RANGE, -1],
      ],
    );
    assert.deepEqual(await at(-2), [0, 3, -1]);
  });
});
