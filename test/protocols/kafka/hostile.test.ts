import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { handlers } from '../../../src/protocols/kafka/handlers/index.ts';
import { SeededRandom, crc32c, type Random } from '../../../src/util/index.ts';
import { ErrorCode, WireError } from '../../../src/wire/kafka/index.ts';
import { eventually } from '../../support/index.ts';
import { requestFrame } from '../../wire/kafka/full-request.ts';
import { allApis, encode, hex, messages, versionsOfApi, type Values } from '../../wire/kafka/kit.ts';
import { KafkaKit, batchOf, type KafkaClient } from './kit.ts';

const served = allApis.filter(({ name }) => handlers[name as keyof typeof handlers] !== undefined);
/** No request below may cost more than this, whatever it announces. */
const memoryBytesMax = 32 * 1024 * 1024;
const limits = { partitionsMax: 10 };

/** Reasons for ended connections that are not the client's fault: bugs of ours. */
function mistakes(kit: KafkaKit): string[] {
  return kit.events.flatMap((event) => {
    if (event.kind !== 'closed' || event.reason.kind !== 'error') return [];
    const { text, cause } = event.reason;
    return cause === undefined || cause instanceof WireError ? [] : [`${text}: ${stackOf(cause)}`];
  });
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.stack}` : String(cause);
}

/** The connection is served as if nothing had been. */
async function isServed(client: KafkaClient): Promise<void> {
  assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
}

describe('counts and lengths beyond the frame', () => {
  const bodies: readonly (readonly [what: string, body: Buffer])[] = [
    ['counts of 2^31 - 1', Buffer.alloc(64, hex('7fffffff'))],
    ['compact counts of 2^32 - 1', Buffer.alloc(64, hex('ffffffff0f'))],
    ['counts of -2', Buffer.alloc(64, hex('fffffffe'))],
    ['nothing but zeros', Buffer.alloc(64)],
    ['nothing but ones, which compact fields take for empty', Buffer.alloc(64, 1)],
  ];
  for (const [what, body] of bodies)
    test(`${what}, in every request: they end their own connection at most`, async () => {
      await using kit = await KafkaKit.start({ limits });
      using other = await kit.client();
      const before = process.memoryUsage().arrayBuffers;
      for (const api of served) {
        for (const version of versionsOfApi(api)) {
          using client = await kit.client();
          client.socket.write(Buffer.concat([requestFrame(api, version, body), hex('80000000')]));
          while (await client.frame()); // its answers, if there are any, and then the end
        }
      }
      await isServed(other);
      assert.deepEqual(mistakes(kit), []);
      assert.ok(process.memoryUsage().arrayBuffers - before < memoryBytesMax);
    });

  test('frames announced and not sent cost only the bytes sent', async () => {
    await using kit = await KafkaKit.start({ limits: { requestBytesMax: 2 ** 30 } });
    using other = await kit.client();
    const begun = Buffer.concat([hex('3fffffff'), Buffer.alloc(2000)]);
    const before = process.memoryUsage().arrayBuffers;
    const clients: KafkaClient[] = [];
    for (let i = 0; i < 200; i++) {
      const client = await kit.client();
      client.socket.write(begun);
      clients.push(client);
    }
    await eventually(
      () => kit.frontend.listConnections().filter(({ inBytes }) => inBytes === begun.length).length === 200,
    );
    assert.ok(process.memoryUsage().arrayBuffers - before < memoryBytesMax);
    await isServed(other);
    for (const client of clients) client[Symbol.dispose]();
  });
});

// ---- requests as a client might send them, with some values and some bytes changed

const names = ['t', 'g', 'm', 'range', 'consumer', '', '.', 't\0', 'no such thing'];
const numbers = [0, 1, -1, 2, 5, -2, 2 ** 31 - 1, -(2 ** 31)];

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.int(values.length)]!;
}

/**
 * The same message with names that are known here and numbers that matter. Nothing waits for long, so that
 * mistakes show.
 */
function familiar(random: Random, value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => familiar(random, each, name));
  if (value instanceof Uint8Array) return random.int(2) === 0 ? value : batchOfChance(random);
  if (/(wait|timeout)ms$/i.test(name)) return pick(random, [0, 0, 10, 10_000, -1]);
  if (typeof value === 'string') return name.endsWith('Id') && isUuid(value) ? value : pick(random, names);
  if (typeof value === 'number') return random.int(3) === 0 ? value : fit(value, pick(random, numbers));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, familiar(random, each, key)]));
}

function isUuid(text: string): boolean {
  return /^[\w-]{22}$/.test(text);
}

/** Another number only where it surely fits: in 8 bits if in nothing else. */
function fit(old: number, wanted: number): number {
  const isWide = Math.abs(old) > 2 ** 15;
  return isWide || Math.abs(wanted) < 100 ? wanted : old;
}

/** A batch with some bytes changed, its checksum right most of the time. */
function batchOfChance(random: Random): Buffer {
  const batch = batchOf(['a', 'b', 'c'], {
    keys: ['k', 'l'],
    ...(random.int(2) === 0
      ? {}
      : { producerId: 1, producerEpoch: random.int(3), baseSequence: random.int(4) }),
  });
  for (let changes = random.int(4); changes > 0; changes--)
    batch[random.int(batch.length)] =
      random.int(2) === 0 ? random.int(256) : pick(random, [0, 1, 0x7f, 0xff]);
  if (random.int(4) > 0) batch.writeUInt32BE(crc32c(batch, 21), 17);
  return batch;
}

async function attack(kit: KafkaKit, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const client = await kit.client();
  const sent: string[] = [];
  for (let requests = 1 + random.int(8); requests > 0 && !client.closed; requests--) {
    const api = pick(random, served);
    const version = pick(random, [...versionsOfApi(api)]);
    const [message] = fc.sample(messages(api.request.fields, version), { numRuns: 1, seed: seed + requests });
    const body = encode(api.request, version, familiar(random, message) as Values);
    if (random.int(3) === 0)
      for (let changes = 1 + random.int(3); changes > 0 && body.length > 0; changes--)
        body[random.int(body.length)] = random.int(256);
    sent.push(`${api.name} ${version}`);
    client.socket.write(requestFrame(api, version, body));
  }
  // Requests that wait for something are left waiting; bugs show at once.
  const isIdle = (): boolean => kit.frontend.listConnections().every(({ underWay }) => underWay === 0);
  for (let turn = 0; turn < 40 && !client.closed; turn++) {
    await nextTurn();
    if (turn > 10 && isIdle()) break;
  }
  client[Symbol.dispose]();
  assert.deepEqual(mistakes(kit), [], `seed ${seed}: ${sent.join(', ')}`);
}

/** More with HOSTILE_ROUNDS, from HOSTILE_SEED on. */
const rounds = Number(process.env['HOSTILE_ROUNDS'] ?? 400);
const firstSeed = Number(process.env['HOSTILE_SEED'] ?? 1);

test('requests with strange values and changed bytes are answered or end their own connection', async () => {
  await using kit = await KafkaKit.start({ limits });
  using other = await kit.client();
  await other.createTopic('t', 2);
  for (let round = 0; round < rounds; round++) {
    await attack(kit, firstSeed + round);
    if (round % 50 === 0) await isServed(other);
  }
  await eventually(() => kit.frontend.connections === 1);
  await isServed(other);
});

test('batches with changed bytes are stored or refused in Kafka’s words, and readers get past them', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const random = new SeededRandom(3);
  let stored = 0;
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const { errorCode } = await client.produce('t', batchOfChance(random));
    if (errorCode === ErrorCode.NONE) stored++;
    else refused++;
    assert.notEqual(errorCode, ErrorCode.UNKNOWN_SERVER_ERROR);
  }
  assert.ok(stored > 0 && refused > 0, `${stored} stored, ${refused} refused`);
  assert.deepEqual(mistakes(kit), []);
});
