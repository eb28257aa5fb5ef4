import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QuotaMeters, Quotas } from '../../../src/protocols/kafka/quotas/index.ts';
import { TokenBucket } from '../../../src/protocols/kafka/quotas/token-bucket.ts';
import { WindowedRate } from '../../../src/protocols/kafka/quotas/windowed-rate.ts';
import { Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { ErrorCode, type RequestDraft } from '../../../src/wire/kafka/index.ts';
import { eventually } from '../../support/index.ts';
import { KafkaKit, batchOf, fetchRequest, produceRequest, requestBytes, type KafkaClient } from './kit.ts';

type Entity = RequestDraft<'AlterClientQuotas'>['entries'][number]['entity'];

const ofUser = (name: string | null): Entity[number] => ({ entityType: 'user', entityName: name });
const ofClient = (name: string | null): Entity[number] => ({ entityType: 'client-id', entityName: name });

/** Sets quotas, or takes them away with null; the error code. */
async function set(
  client: KafkaClient,
  entity: Entity,
  values: { readonly [key: string]: number | null },
  validateOnly = false,
): Promise<number> {
  const ops = Object.entries(values).map(([key, value]) => ({
    key,
    value: value ?? 0,
    remove: value === null,
  }));
  const { entries } = await client.call('AlterClientQuotas', 1, { entries: [{ entity, ops }], validateOnly });
  return entries[0]!.errorCode;
}

type Component = RequestDraft<'DescribeClientQuotas'>['components'][number];

/** Entities as `user=ann,client-id=<default>: key=value …`, or the code of an error. */
async function shown(
  client: KafkaClient,
  components: Component[] = [],
  strict = false,
): Promise<string[] | number> {
  const { errorCode, entries } = await client.call('DescribeClientQuotas', 1, { components, strict });
  if (entries === null) return errorCode;
  return entries.map(({ entity, values }) => {
    const who = entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '<default>'}`);
    return `${who.join(',')}: ${values.map(({ key, value }) => `${key}=${value}`).join(' ')}`;
  });
}

const batch = batchOf(['x'.repeat(1000)]);

async function produceThrottle(client: KafkaClient, version = 9): Promise<number> {
  return (await client.call('Produce', version, produceRequest('t', batch, 0, -1))).throttleTimeMs;
}

describe('quotas', () => {
  test('are altered and described, and outlive a crash', async () => {
    await using kit = await KafkaKit.start();
    let client = await kit.client();
    assert.equal(await set(client, [ofUser('ann'), ofClient('app')], { producer_byte_rate: 1024 }), 0);
    assert.equal(await set(client, [ofUser(null)], { request_percentage: 12.5, consumer_byte_rate: 9 }), 0);
    assert.equal(await set(client, [ofClient('app')], { controller_mutation_rate: 0.5 }), 0);
    assert.equal(
      await set(client, [ofClient('other')], { producer_byte_rate: 1 }, true),
      0,
      'only looked at',
    );
    assert.equal(await set(client, [ofUser(null)], { consumer_byte_rate: null }), 0);
    const all = [
      'user=ann,client-id=app: producer_byte_rate=1024',
      'user=<default>: request_percentage=12.5',
      'client-id=app: controller_mutation_rate=0.5',
    ];
    assert.deepEqual(await shown(client), all);
    await kit.crash();
    client = await kit.client();
    assert.deepEqual(await shown(client), all);
    const exact = (entityType: string, match: string): Component => ({ entityType, matchType: 0, match });
    const kind = (entityType: string, matchType: number): Component => ({
      entityType,
      matchType,
      match: null,
    });
    assert.deepEqual(await shown(client, [exact('client-id', 'app')]), [all[0], all[2]]);
    assert.deepEqual(await shown(client, [exact('client-id', 'app')], true), [all[2]]);
    assert.deepEqual(await shown(client, [kind('user', 1)]), [all[1]]);
    assert.deepEqual(await shown(client, [kind('user', 2)]), [all[0], all[1]]);
    assert.deepEqual(await shown(client, [kind('user', 2), exact('client-id', 'app')]), [all[0]]);
    assert.deepEqual(await shown(client, [exact('ip', '10.0.0.1')]), []);
    const invalid = ErrorCode.INVALID_REQUEST;
    assert.equal(await shown(client, [kind('user', 0)]), invalid);
    assert.equal(await shown(client, [kind('user', 3)]), invalid);
    assert.equal(await shown(client, [kind('user', 1), kind('user', 2)]), invalid);
    assert.equal(await shown(client, [kind('ip', 2), kind('user', 2)]), invalid);
    assert.equal(await shown(client, [kind('topic', 2)]), ErrorCode.UNSUPPORTED_VERSION);
  });

  test('that cannot be are refused', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const wrong: readonly (readonly [Entity, { readonly [key: string]: number | null }])[] = [
      [[], { producer_byte_rate: 1 }],
      [[ofUser('a'), ofUser('b')], { producer_byte_rate: 1 }],
      [[ofUser('')], { producer_byte_rate: 1 }],
      [[{ entityType: 'ip', entityName: '10.0.0.1' }], { connection_creation_rate: 1 }],
      [[{ entityType: 'topic', entityName: 'a' }], { producer_byte_rate: 1 }],
      [[ofUser('a')], { retention: 1 }],
      [[ofUser('a')], { producer_byte_rate: 0 }],
      [[ofUser('a')], { producer_byte_rate: -1 }],
      [[ofUser('a')], { producer_byte_rate: 1.5 }],
      [[ofUser('a')], { request_percentage: NaN }],
      [[ofUser('a')], { request_percentage: Infinity }],
    ];
    for (const [entity, values] of wrong)
      assert.equal(
        await set(client, entity, values),
        ErrorCode.INVALID_REQUEST,
        JSON.stringify([entity, values]),
      );
    assert.deepEqual(await shown(client), []);
  });
});

describe('a rate', () => {
  test('is spread over ten seconds, and throttled until it is within its limit again', () => {
    const rate = new WindowedRate();
    rate.record(10_000, 0);
    assert.equal(rate.throttleMs(1000, 0), 0);
    rate.record(5000, 0);
    // 1500 a second for ten seconds, where 1000 are allowed.
    assert.equal(rate.throttleMs(1000, 0), 5000);
    assert.equal(rate.throttleMs(1000, 5000), 5000, 'the windows go on as time');
    assert.equal(rate.throttleMs(1000, 11_000), 0, 'and what came is forgotten with its window');
  });
});

describe('a token bucket', () => {
  test('is full at first, may be overdrawn once, and fills', () => {
    const bucket = new TokenBucket();
    bucket.record(15, 1, 0);
    assert.equal(bucket.throttleMs(1, 0), 4000);
    assert.equal(bucket.throttleMs(1, 3000), 1000);
    assert.equal(bucket.throttleMs(1, 4000), 0);
    bucket.record(12, 1, 100_000);
    assert.equal(bucket.throttleMs(1, 100_000), 1000, 'it holds eleven at most');
  });
});

test('work counts as percent of a core, and throttles for a second at most', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await set(client, [ofClient('busy')], { request_percentage: 5 });
  const clock = new VirtualClock();
  const meters = new QuotaMeters(new Quotas(kit.broker.attributes, 10), clock);
  const quotas = meters.of('ann', 'busy', undefined)!;
  assert.equal(meters.noteWorked(quotas, 500), 0, '5 % of ten seconds');
  assert.equal(meters.noteWorked(quotas, 10), 200);
  assert.equal(meters.noteWorked(quotas, 5000), 1000);
  assert.equal(meters.of('ann', 'idle', undefined)!.request, undefined);
});

describe('a client beyond its quota', () => {
  test('of bytes produced is told so, and not heard for that time', async () => {
    const clock = new VirtualClock();
    await using kit = await KafkaKit.start({ clock }, { clock });
    using admin = await kit.client();
    await admin.createTopic('t');
    await set(admin, [ofClient('test')], { producer_byte_rate: 100 });
    using client = await kit.client();
    const { length: bytes } = Buffer.concat(requestBytes('Produce', 9, produceRequest('t', batch, 0, -1), 1));
    const expected = Math.round(((bytes - 4) / 10 / 100 - 1) * 10_000);
    assert.equal(await produceThrottle(client), expected);
    const id = client.send('Produce', 9, produceRequest('t', batch, 0, -1));
    const answer = client.receive('Produce', 9, id);
    for (let at = 0; at < 3; at++) await admin.call('Metadata', 9, { topics: [] });
    assert.equal(kit.broker.topic('t')!.partitions.at(0)!.nextOffset, 1);
    clock.advance(expected - 1);
    assert.equal(kit.broker.topic('t')!.partitions.at(0)!.nextOffset, 1);
    clock.advance(1);
    assert.equal((await answer).responses[0]!.partitionResponses[0]!.errorCode, 0);
  });

  test('with acks 0 is not heard either', async () => {
    const clock = new VirtualClock();
    await using kit = await KafkaKit.start({ clock }, { clock });
    using admin = await kit.client();
    await admin.createTopic('t');
    await set(admin, [ofClient('test')], { producer_byte_rate: 10 });
    using client = await kit.client();
    const { nextOffset } = kit.broker.topic('t')!.partitions.at(0)!;
    assert.equal(nextOffset, 0);
    for (let at = 0; at < 3; at++) client.send('Produce', 9, produceRequest('t', batch, 0, 0));
    const stored = (): number => kit.broker.topic('t')!.partitions.at(0)!.nextOffset;
    await eventually(() => stored() >= 1);
    // Those that were read before the first was answered went with it; from then on there is silence.
    const before = stored();
    client.send('Produce', 9, produceRequest('t', batch, 0, 0));
    await admin.call('Metadata', 9, { topics: [] });
    assert.equal(stored(), before);
  });

  test('of bytes fetched gets none, and all of them later', async () => {
    const clock = new VirtualClock();
    await using kit = await KafkaKit.start({ clock }, { clock });
    using client = await kit.client();
    await client.createTopic('t');
    await client.produce('t', batch);
    await set(client, [ofClient(null)], { consumer_byte_rate: 50 });
    using reader = await kit.client();
    const fetch = fetchRequest('t', 0, { maxWaitMs: 0 });
    const throttled = await reader.call('Fetch', 11, fetch);
    assert.ok(throttled.throttleTimeMs > 0);
    assert.deepEqual(throttled.responses, []);
    await set(client, [ofClient(null)], { consumer_byte_rate: 100_000 });
    clock.advance(throttled.throttleTimeMs);
    const answer = await reader.call('Fetch', 11, fetch);
    assert.equal(answer.throttleTimeMs, 0);
    assert.ok(answer.responses[0]!.partitions[0]!.records!.length > 1000);
  });

  test('of partitions made is refused by versions that know of it', async () => {
    const clock = new VirtualClock();
    await using kit = await KafkaKit.start({ clock }, { clock });
    using admin = await kit.client();
    await set(admin, [ofClient('test')], { controller_mutation_rate: 1 });
    using client = await kit.client();
    assert.equal((await client.createTopic('a', 13)).errorCode, 0, 'a bucket of eleven may be overdrawn');
    const topics = [{ name: 'b', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
    const refused = await client.call('CreateTopics', 7, { topics, validateOnly: false });
    assert.equal(refused.topics[0]!.errorCode, ErrorCode.THROTTLING_QUOTA_EXCEEDED);
    assert.equal(refused.throttleTimeMs, 2000);
    clock.advance(2000);
    assert.equal(
      (await client.call('CreateTopics', 7, { topics, validateOnly: false })).topics[0]!.errorCode,
      0,
    );
    const older = await client.call('CreateTopics', 5, {
      topics: [{ ...topics[0]!, name: 'c' }],
      validateOnly: false,
    });
    assert.equal(older.topics[0]!.errorCode, 0);
    assert.equal(older.throttleTimeMs, 2000);
  });

  test('is the one that the most specific quota is for; a default is for each by itself', async () => {
    const clock = new VirtualClock();
    const users = new Users([userWithPassword('kafka', 'ann', 'a'), userWithPassword('kafka', 'ben', 'b')]);
    await using kit = await KafkaKit.start({ clock, users }, { clock });
    const login = async (user: string): Promise<KafkaClient> => {
      const client = await kit.client();
      assert.equal(await client.logIn(user, user[0]!), 0);
      return client;
    };
    const admin = await login('ann');
    await admin.createTopic('t');
    await set(admin, [ofUser(null)], { producer_byte_rate: 200 });
    assert.equal(await produceThrottle(await login('ann')), 0);
    assert.equal(await produceThrottle(await login('ben')), 0, 'ben has a rate of his own');
    assert.ok((await produceThrottle(await login('ann'))) > 0, 'connections of a user share it');
    await set(admin, [ofUser('ann')], { producer_byte_rate: 1_000_000 });
    assert.equal(await produceThrottle(await login('ann')), 0);
    await set(admin, [ofUser('ann'), ofClient('test')], { producer_byte_rate: 1 });
    assert.ok((await produceThrottle(await login('ann'))) > 0);
  });
});
