import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Effort, effortMax } from '../../../src/protocols/amqp/exchanges/effort.ts';
import { methods, type FieldTable, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer } from './amqp-kit.ts';

// What a few bytes of a client could make the broker do for long.

const tooCostly =
  /^1 channel\.close \{"replyCode":406,"replyText":"PRECONDITION_FAILED - routing this message takes more than 100000 steps/;

/** A pattern of 100 words, each `#` or the word, by the bits of a number. */
function pattern(at: number): string {
  const bits = at.toString(2).padStart(10, '0');
  return Array.from({ length: 100 }, (_, word) =>
    (bits[word] ?? String(word % 2)) === '0' ? '#' : 'a',
  ).join('.');
}

const key = Array.from({ length: 120 }, () => 'a').join('.');

test('a publish is refused whose patterns are too much work, and so are those with many copies', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  await peer.declare('q');
  for (let at = 0; at < 200; at++) await peer.bind('q', 'amq.topic', pattern(at));
  peer.publish('amq.topic', key, 'x');
  assert.match(await peer.next(), tooCostly);
  using other = await server.open();
  const copies = Array.from({ length: 300 }, (_, at) => `a.a.a.a.a.a.a.${at}`);
  other.publish('amq.topic', 'a', 'x', { headers: new Map([['CC', copies]]) });
  assert.match(await other.next(), tooCostly);
  using third = await server.open();
  third.publish('amq.direct', 'a', 'x', { headers: new Map([['CC', copies]]) });
  await third.silent();
});

test('headers bindings with thousands of arguments refuse a message, instead of holding up all clients', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  await peer.declare('q');
  const entries = Array.from({ length: 8_000 }, (_, at): [string, FieldValue] => [at.toString(36), 1]);
  for (let at = 0; at < 14; at++) {
    const table: FieldTable = new Map<string, FieldValue>([['x-match', 'any'], ...entries, ['at', at]]);
    await peer.bind('q', 'amq.headers', '', table);
  }
  peer.publish('amq.headers', '', 'x', { headers: new Map([['other', 1]]) });
  assert.match(await peer.next(), tooCostly);
});

test('the effort of a message is bounded', () => {
  const effort = new Effort();
  effort.spend(effortMax);
  assert.throws(() => effort.spend(1), /PRECONDITION_FAILED|more than 100000 steps/);
});

test('other connections get their turn between costly publishes', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  using other = await server.open();
  await peer.declare('q');
  for (let at = 0; at < 6; at++) await peer.bind('q', 'amq.topic', pattern(at));
  // In one write, so that they are one piece of input.
  const { exchanges } = server.amqp.virtualHosts.plain;
  const before = exchanges.steps;
  const flow = (): number => exchanges.steps - before;
  for (let at = 0; at < 40; at++) peer.publish('amq.topic', `${key}.${at}`, 'x');
  await eventually(() => flow() > 0);
  await other.silent();
  const atAnswer = flow();
  await peer.silent();
  assert.ok(atAnswer < flow(), `${atAnswer} of ${flow()} steps were done before another client was answered`);
});

test('a transaction has a limit of publishes', async () => {
  await using server = await TestServer.start({ limits: { transactionAppendsMax: 3 } });
  using peer = await server.open();
  await peer.declare('q');
  peer.send(methods.tx.select, {});
  await peer.expect('1 tx.select-ok');
  for (const wanted of ['1 tx.commit-ok', '1 channel.close {"replyCode":406']) {
    const count = wanted.startsWith('1 tx') ? 3 : 4;
    for (let at = 0; at < count; at++) peer.publish('', 'q', 'x');
    peer.send(methods.tx.commit, {});
    await peer.expect(wanted);
  }
});

test('a dead letter that comes round to its queue by itself is dropped, and one that was rejected is not', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  const to = (queue: string, more: readonly [string, FieldValue][] = []): FieldTable =>
    new Map<string, FieldValue>([
      ['x-dead-letter-exchange', ''],
      ['x-dead-letter-routing-key', queue],
      ...more,
    ]);
  await peer.declare('one', { arguments: to('two', [['x-message-ttl', 1]]) });
  await peer.declare('two', { arguments: to('one', [['x-message-ttl', 1]]) });
  const end = (queue: string): number => {
    let end = 0;
    for (const partition of server.broker.topic(queue)!.partitions.opened) end += partition.durableEnd;
    return end;
  };
  peer.publish('', 'one', 'x');
  await eventually(() => end('two') === 1 && server.broker.topic('two')!.count === 0);
  assert.equal(end('one'), 1);
  await peer.declare('work', { arguments: to('wait') });
  await peer.declare('wait', { arguments: to('work', [['x-message-ttl', 1]]) });
  peer.publish('', 'work', 'again');
  await peer.consume('work');
  for (let round = 0; round < 3; round++) {
    const { body } = await peer.message();
    assert.equal(body, 'again');
    peer.nack(round + 1, false);
  }
});
