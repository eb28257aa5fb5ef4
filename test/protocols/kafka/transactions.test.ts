import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/util/index.ts';
import {
  ErrorCode,
  readRecords,
  splitBatches,
  type ApiName,
  type RequestDraft,
  type ResponseOf,
} from '../../../src/wire/kafka/index.ts';
import { KafkaKit, batchOf, fetchRequest, produceRequest, text, type KafkaClient } from './kit.ts';

const timeoutMs = 60_000;

interface Identity {
  producerId: number;
  producerEpoch: number;
}

/** A transactional producer by hand, speaking the versions of one generation of clients. */
class Transactional {
  readonly client: KafkaClient;
  readonly transactionalId: string;
  /** KIP-890's transactions: partitions are added by the batches, every end raises the epoch. */
  readonly isNew: boolean;
  identity: Identity = { producerId: -1, producerEpoch: -1 };
  #sequence = 0;

  constructor(client: KafkaClient, transactionalId: string, isNew: boolean) {
    this.client = client;
    this.transactionalId = transactionalId;
    this.isNew = isNew;
  }

  async init(timeout: number = timeoutMs, before?: Identity): Promise<ErrorCode> {
    const { errorCode, producerId, producerEpoch } = await this.client.call('InitProducerId', 5, {
      transactionalId: this.transactionalId,
      transactionTimeoutMs: timeout,
      ...before,
    });
    if (errorCode === ErrorCode.NONE) this.identity = { producerId, producerEpoch };
    this.#sequence = 0;
    return errorCode as ErrorCode;
  }

  batch(values: readonly string[], at: number = this.#sequence): Buffer {
    return batchOf(values, { ...this.identity, baseSequence: at, isTransactional: true });
  }

  async produce(topic: string, values: readonly string[], version?: number): Promise<ErrorCode> {
    const request = { ...produceRequest(topic, this.batch(values)), transactionalId: this.transactionalId };
    const { responses } = await this.client.call('Produce', version ?? (this.isNew ? 12 : 9), request);
    const { errorCode } = responses[0]!.partitionResponses[0]!;
    if (errorCode === ErrorCode.NONE) this.#sequence += values.length;
    return errorCode as ErrorCode;
  }

  async addPartition(topic: string, partitions: readonly number[] = [0]): Promise<ErrorCode[]> {
    const { resultsByTopicV3AndBelow } = await this.client.call('AddPartitionsToTxn', 3, {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: this.identity.producerId,
      v3AndBelowProducerEpoch: this.identity.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    });
    return resultsByTopicV3AndBelow[0]!.resultsByPartition.map(
      ({ partitionErrorCode }) => partitionErrorCode as ErrorCode,
    );
  }

  async end(committed: boolean, version: number = this.isNew ? 5 : 3): Promise<ErrorCode> {
    const { transactionalId, identity } = this;
    const { errorCode, ...next } = await this.client.call('EndTxn', version, {
      transactionalId,
      ...identity,
      committed,
    });
    if (errorCode === ErrorCode.NONE && version >= 5) {
      this.identity = { producerId: next.producerId, producerEpoch: next.producerEpoch };
      this.#sequence = 0;
    }
    return errorCode as ErrorCode;
  }

  async commitOffset(groupId: string, topic: string, offset: number, version: number): Promise<ErrorCode> {
    const { topics } = await this.client.call('TxnOffsetCommit', version, {
      transactionalId: this.transactionalId,
      groupId,
      ...this.identity,
      topics: [
        { name: topic, partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'm' }] },
      ],
    });
    return topics[0]!.partitions[0]!.errorCode as ErrorCode;
  }
}

interface Setup extends AsyncDisposable {
  readonly kit: KafkaKit;
  readonly client: KafkaClient;
  readonly clock: VirtualClock;
}

async function setup(): Promise<Setup> {
  const clock = new VirtualClock();
  const kit = await KafkaKit.start({}, { clock });
  const client = await kit.client();
  await client.createTopic('orders', 2);
  await client.createTopic('bills');
  return {
    kit,
    client,
    clock,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await kit[Symbol.asyncDispose]();
    },
  };
}

async function read(
  client: KafkaClient,
  topic: string,
  isolationLevel: number,
  offset = 0,
): Promise<{
  values: (string | null)[];
  partition: ResponseOf<'Fetch'>['responses'][number]['partitions'][number];
}> {
  const request = { ...fetchRequest(topic, offset, { maxWaitMs: 0 }), isolationLevel };
  const { responses } = await client.call('Fetch', 11, request);
  const partition = responses[0]!.partitions[0]!;
  const values = splitBatches(partition.records ?? Buffer.alloc(0)).flatMap((batch) =>
    batch.isControl || batch.count === 0
      ? []
      : [...readRecords(batch, 1 << 20)].map(({ value }) => text(value)),
  );
  return { values, partition };
}

const committed = async (client: KafkaClient, topic: string): Promise<(string | null)[]> =>
  (await read(client, topic, 1)).values;

async function latest(client: KafkaClient, topic: string, isolationLevel: number): Promise<number> {
  const { topics } = await client.call('ListOffsets', 5, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  });
  return topics[0]!.partitions[0]!.offset;
}

for (const isNew of [true, false]) {
  describe(isNew ? 'transactions as KIP-890 has them' : 'transactions of older clients', () => {
    const begin = async (client: KafkaClient, id = 'mover'): Promise<Transactional> => {
      const producer = new Transactional(client, id, isNew);
      assert.equal(await producer.init(), ErrorCode.NONE);
      return producer;
    };
    const write = async (
      producer: Transactional,
      topic: string,
      values: readonly string[],
    ): Promise<void> => {
      if (!isNew) assert.deepEqual(await producer.addPartition(topic), [ErrorCode.NONE]);
      assert.equal(await producer.produce(topic, values), ErrorCode.NONE);
    };

    test('isolation levels: only uncommitted readers get open messages', async () => {
      await using s = await setup();
      const producer = await begin(s.client);
      await s.client.produce('orders', batchOf(['before']));
      await write(producer, 'orders', ['open']);
      await s.client.produce('orders', batchOf(['behind']));
      assert.deepEqual((await read(s.client, 'orders', 0)).values, ['before', 'open', 'behind']);
      const { values, partition } = await read(s.client, 'orders', 1);
      assert.deepEqual(values, ['before']);
      assert.equal(partition.lastStableOffset, 1);
      assert.equal(partition.highWatermark, 3);
      assert.deepEqual(partition.abortedTransactions, []);
      assert.equal(await latest(s.client, 'orders', 1), 1);
      assert.equal(await latest(s.client, 'orders', 0), 3);
      assert.equal(await producer.end(true), ErrorCode.NONE);
      assert.deepEqual(await committed(s.client, 'orders'), ['before', 'open', 'behind']);
      assert.equal(await latest(s.client, 'orders', 1), 4);
    });

    test('a reader that waits for committed messages is told when they are', async () => {
      await using s = await setup();
      const producer = await begin(s.client);
      await write(producer, 'orders', ['open']);
      using reader = await s.kit.client();
      const request = { ...fetchRequest('orders', 0, { maxWaitMs: 60_000 }), isolationLevel: 1 };
      const id = reader.send('Fetch', 11, request);
      let isAnswered = false;
      const answer = reader.receive('Fetch', 11, id).then((response) => {
        isAnswered = true;
        return response;
      });
      await write(producer, 'bills', ['more']);
      assert.equal(isAnswered, false);
      await producer.end(true);
      const [batch] = splitBatches((await answer).responses[0]!.partitions[0]!.records!);
      assert.equal(text([...readRecords(batch!, 1000)][0]!.value), 'open');
    });

    test('no reader gets aborted messages, and readers get past them', async () => {
      await using s = await setup();
      const producer = await begin(s.client);
      await write(producer, 'bills', ['a', 'b']);
      assert.equal(await producer.end(false), ErrorCode.NONE);
      const { values, partition } = await read(s.client, 'bills', 1);
      assert.deepEqual(values, []);
      const [passing] = splitBatches(partition.records!);
      assert.ok(passing!.isControl);
      assert.equal(
        passing!.baseOffset + passing!.lastOffsetDelta + 1,
        3,
        'a batch leads past messages and marker',
      );
      await write(producer, 'bills', ['c']);
      await producer.end(true);
      assert.deepEqual(await committed(s.client, 'bills'), ['c']);
      assert.deepEqual((await read(s.client, 'bills', 0)).values, ['c']);
    });

    test('ends are answered once more, also after a crash', async () => {
      await using s = await setup();
      const producer = await begin(s.client);
      await write(producer, 'bills', ['x']);
      const { identity } = producer;
      assert.equal(await producer.end(true), ErrorCode.NONE);
      const next = producer.identity;
      assert.equal(next.producerEpoch, identity.producerEpoch + (isNew ? 1 : 0));
      producer.identity = identity;
      assert.equal(await producer.end(true), ErrorCode.NONE);
      assert.deepEqual(producer.identity, next);
      producer.identity = identity;
      assert.equal(await producer.end(false), ErrorCode.INVALID_TXN_STATE);
      assert.deepEqual(await committed(s.client, 'bills'), ['x']);
    });

    test('a later producer fences', async () => {
      await using s = await setup();
      const first = await begin(s.client);
      await write(first, 'bills', ['x']);
      const second = await begin(s.client);
      assert.equal(await first.produce('bills', ['y']), ErrorCode.INVALID_PRODUCER_EPOCH);
      assert.equal(await first.end(true), ErrorCode.PRODUCER_FENCED);
      assert.equal(await first.end(true, 1), ErrorCode.INVALID_PRODUCER_EPOCH);
      assert.equal(await first.init(timeoutMs, first.identity), ErrorCode.PRODUCER_FENCED);
      await write(second, 'bills', ['z']);
      await second.end(true);
      assert.deepEqual(await committed(s.client, 'bills'), ['z']);
    });

    test('time limits abort and fence', async () => {
      await using s = await setup();
      const producer = new Transactional(s.client, 'mover', isNew);
      assert.equal(await producer.init(0), ErrorCode.INVALID_TRANSACTION_TIMEOUT);
      assert.equal(await producer.init(15 * 60_000 + 1), ErrorCode.INVALID_TRANSACTION_TIMEOUT);
      assert.equal(await producer.init(1000), ErrorCode.NONE);
      await write(producer, 'bills', ['x']);
      s.clock.advance(1000);
      assert.equal(await producer.produce('bills', ['y']), ErrorCode.INVALID_PRODUCER_EPOCH);
      assert.equal(await producer.end(true), ErrorCode.PRODUCER_FENCED);
      assert.deepEqual((await read(s.client, 'bills', 0)).values, []);
    });

    test('positions are stable when the transaction is decided', async () => {
      await using s = await setup();
      await s.client.produce('bills', batchOf(['1', '2']));
      const producer = await begin(s.client);
      const position = async (requireStable: boolean): Promise<[number, number]> => {
        const { groups } = await s.client.call('OffsetFetch', 8, {
          groups: [{ groupId: 'g', topics: [{ name: 'bills', partitionIndexes: [0] }] }],
          requireStable,
        });
        const { committedOffset, errorCode } = groups[0]!.topics[0]!.partitions[0]!;
        return [committedOffset, errorCode];
      };
      if (!isNew) {
        assert.equal(await producer.commitOffset('g', 'bills', 1, 3), ErrorCode.INVALID_TXN_STATE);
        assert.equal(await producer.commitOffset('g', 'bills', 1, 4), ErrorCode.TRANSACTION_ABORTABLE);
        const { transactionalId, identity } = producer;
        const { errorCode } = await s.client.call('AddOffsetsToTxn', 3, {
          transactionalId,
          ...identity,
          groupId: 'g',
        });
        assert.equal(errorCode, ErrorCode.NONE);
      }
      assert.equal(await producer.commitOffset('g', 'bills', 1, isNew ? 5 : 3), ErrorCode.NONE);
      assert.deepEqual(await position(false), [-1, ErrorCode.NONE]);
      assert.deepEqual(await position(true), [-1, ErrorCode.UNSTABLE_OFFSET_COMMIT]);
      await producer.end(false);
      assert.deepEqual(await position(true), [-1, ErrorCode.NONE]);
      if (!isNew) {
        const { transactionalId, identity } = producer;
        await s.client.call('AddOffsetsToTxn', 3, { transactionalId, ...identity, groupId: 'g' });
      }
      assert.equal(await producer.commitOffset('g', 'bills', 2, isNew ? 5 : 3), ErrorCode.NONE);
      await producer.end(true);
      assert.deepEqual(await position(true), [2, ErrorCode.NONE]);
      assert.equal(await producer.commitOffset('g', 'nowhere', 2, 5), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    });
  });
}

describe('transactions over the wire', () => {
  const call = async <N extends ApiName>(
    client: KafkaClient,
    name: N,
    version: number,
    request: RequestDraft<N>,
  ) => client.call(name, version, request);

  test('the feature is told of', async () => {
    await using s = await setup();
    const { finalizedFeatures, apiKeys } = await s.client.call('ApiVersions', 3, {
      clientSoftwareName: 'test',
      clientSoftwareVersion: '1',
    });
    const feature = finalizedFeatures.find(({ name }) => name === 'transaction.version');
    assert.equal(feature?.maxVersionLevel, 2);
    assert.equal(apiKeys.find(({ apiKey }) => apiKey === 0)?.maxVersion, 12);
    assert.equal(apiKeys.find(({ apiKey }) => apiKey === 26)?.maxVersion, 5);
  });

  test('partitions have to be added by older clients, and are verified', async () => {
    await using s = await setup();
    const producer = new Transactional(s.client, 'mover', false);
    await producer.init();
    assert.equal(await producer.produce('bills', ['x'], 10), ErrorCode.INVALID_TXN_STATE);
    assert.equal(await producer.produce('bills', ['x'], 11), ErrorCode.TRANSACTION_ABORTABLE);
    assert.deepEqual(await producer.addPartition('orders', [0, 7]), [
      ErrorCode.OPERATION_NOT_ATTEMPTED,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
    const transactions = (verifyOnly: boolean, partitions: readonly number[]) => ({
      transactions: [
        {
          transactionalId: 'mover',
          ...producer.identity,
          verifyOnly,
          topics: [{ name: 'orders', partitions }],
        },
        {
          transactionalId: 'nobody',
          ...producer.identity,
          verifyOnly,
          topics: [{ name: 'orders', partitions: [0] }],
        },
      ],
    });
    const codes = ({ resultsByTransaction }: ResponseOf<'AddPartitionsToTxn'>): number[][] =>
      resultsByTransaction.map(({ topicResults }) =>
        topicResults[0]!.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
      );
    assert.deepEqual(codes(await call(s.client, 'AddPartitionsToTxn', 5, transactions(false, [0]))), [
      [ErrorCode.NONE],
      [ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    ]);
    assert.deepEqual(codes(await call(s.client, 'AddPartitionsToTxn', 5, transactions(true, [0, 1]))), [
      [ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE],
      [ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    ]);
  });

  test('a delayed request of the transaction before does not touch the next one', async () => {
    await using s = await setup();
    const producer = new Transactional(s.client, 'mover', true);
    await producer.init();
    await producer.produce('bills', ['first']);
    const { identity } = producer;
    const late = producer.batch(['late']);
    await producer.end(true);
    assert.equal(await producer.produce('bills', ['second']), ErrorCode.NONE);
    const request = { ...produceRequest('bills', late), transactionalId: 'mover' };
    const { responses } = await s.client.call('Produce', 12, request);
    assert.equal(responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.INVALID_PRODUCER_EPOCH);
    const end = await s.client.call('EndTxn', 5, { transactionalId: 'mover', ...identity, committed: false });
    assert.equal(end.errorCode, ErrorCode.PRODUCER_FENCED);
    await producer.end(true);
    assert.deepEqual(await committed(s.client, 'bills'), ['first', 'second']);
  });

  test('an end of nothing: an abort raises the epoch, a commit is refused', async () => {
    await using s = await setup();
    const producer = new Transactional(s.client, 'mover', true);
    await producer.init();
    const { producerEpoch } = producer.identity;
    assert.equal(await producer.end(true), ErrorCode.INVALID_TXN_STATE);
    assert.equal(await producer.end(false), ErrorCode.NONE);
    assert.equal(producer.identity.producerEpoch, producerEpoch + 1);
    assert.equal(await producer.end(false, 3), ErrorCode.INVALID_TXN_STATE);
  });

  test('an open transaction goes on after a crash of the broker', async () => {
    await using s = await setup();
    const producer = new Transactional(s.client, 'mover', true);
    await producer.init();
    await producer.produce('bills', ['before']);
    await s.kit.crash();
    using client = await s.kit.client();
    const again = new Transactional(client, 'mover', true);
    again.identity = producer.identity;
    assert.deepEqual(await committed(client, 'bills'), []);
    const request = { ...produceRequest('bills', again.batch(['after'], 1)), transactionalId: 'mover' };
    const { responses } = await client.call('Produce', 12, request);
    assert.equal(responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.NONE);
    assert.equal(await again.end(true), ErrorCode.NONE);
    assert.deepEqual(await committed(client, 'bills'), ['before', 'after']);
  });

  test('open transactions are listed and described', async () => {
    await using s = await setup();
    const [open, done, idle] = ['open', 'done', 'idle'].map((id) => new Transactional(s.client, id, true));
    for (const producer of [open!, done!, idle!]) await producer.init();
    await done!.produce('bills', ['one', 'two']);
    await done!.end(false);
    await open!.produce('bills', ['three']);
    const { producerId, producerEpoch } = open!.identity;
    const list = async (request: Partial<RequestDraft<'ListTransactions'>>) => {
      const filters = { stateFilters: [], producerIdFilters: [], ...request };
      const { transactionStates, unknownStateFilters } = await s.client.call('ListTransactions', 1, filters);
      const states = transactionStates.map(
        ({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`,
      );
      return [...states, ...unknownStateFilters];
    };
    assert.deepEqual(await list({}), ['open Ongoing', 'done CompleteAbort', 'idle Empty']);
    assert.deepEqual(await list({ stateFilters: ['Ongoing', 'Odd'] }), ['open Ongoing', 'Odd']);
    assert.deepEqual(await list({ producerIdFilters: [producerId] }), ['open Ongoing']);
    assert.deepEqual(await list({ durationFilter: 30_000 }), []);
    s.clock.advance(30_001);
    assert.deepEqual(await list({ durationFilter: 30_000 }), ['open Ongoing']);
    const startedMs = s.clock.now() - 30_001;

    const { transactionStates } = await s.client.call('DescribeTransactions', 0, {
      transactionalIds: ['open', 'idle', 'nobody', 'open'],
    });
    const identity = { producerId, producerEpoch };
    const nothing = { transactionStartTimeMs: -1, topics: [] };
    assert.deepEqual(transactionStates, [
      {
        errorCode: ErrorCode.NONE,
        transactionalId: 'open',
        transactionState: 'Ongoing',
        transactionTimeoutMs: timeoutMs,
        transactionStartTimeMs: startedMs,
        ...identity,
        topics: [{ topic: 'bills', partitions: [0] }],
      },
      {
        errorCode: ErrorCode.NONE,
        transactionalId: 'idle',
        transactionState: 'Empty',
        transactionTimeoutMs: timeoutMs,
        ...nothing,
        ...idle!.identity,
      },
      {
        errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND,
        transactionalId: 'nobody',
        transactionState: '',
        transactionTimeoutMs: 0,
        ...nothing,
        producerId: -1,
        producerEpoch: -1,
      },
    ]);

    const { topics } = await s.client.call('DescribeProducers', 0, {
      topics: [{ name: 'bills', partitionIndexes: [0, 9, 0] }],
    });
    const [bills, unknown, ...others] = topics[0]!.partitions;
    assert.deepEqual(others, []);
    assert.equal(unknown!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const wrote = { lastTimestamp: startedMs, coordinatorEpoch: -1 };
    assert.deepEqual(bills!.activeProducers, [
      {
        producerId: done!.identity.producerId,
        producerEpoch: done!.identity.producerEpoch - 1,
        lastSequence: 1,
        currentTxnStartOffset: -1,
        ...wrote,
      },
      { ...identity, lastSequence: 0, currentTxnStartOffset: 3, ...wrote },
    ]);
  });

  test('invalid requests are refused', async () => {
    await using s = await setup();
    const init = (transactionalId: string, extra: Partial<RequestDraft<'InitProducerId'>> = {}) =>
      s.client.call('InitProducerId', 5, { transactionalId, transactionTimeoutMs: timeoutMs, ...extra });
    assert.equal((await init('')).errorCode, ErrorCode.INVALID_REQUEST);
    assert.equal(
      (await init('x', { producerId: 5, producerEpoch: -1 })).errorCode,
      ErrorCode.INVALID_REQUEST,
    );
    const nobody = { transactionalId: 'nobody', producerId: 3, producerEpoch: 0 };
    const end = await s.client.call('EndTxn', 3, { ...nobody, committed: true });
    assert.equal(end.errorCode, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    const add = await s.client.call('AddOffsetsToTxn', 3, { ...nobody, groupId: 'g' });
    assert.equal(add.errorCode, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    const noGroup = await s.client.call('AddOffsetsToTxn', 3, { ...nobody, groupId: '' });
    assert.equal(noGroup.errorCode, ErrorCode.INVALID_GROUP_ID);
    const batch = batchOf(['x'], { producerId: 3, producerEpoch: 0, baseSequence: 0, isTransactional: true });
    assert.equal((await s.client.produce('bills', batch)).errorCode, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    const wrong = new Transactional(s.client, 'nobody', true);
    await wrong.init();
    const plain = batchOf(['x'], { ...wrong.identity, baseSequence: 0 });
    assert.equal((await s.client.produce('bills', plain)).errorCode, ErrorCode.INVALID_TXN_STATE);
  });
});
