import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { MemoryFiles } from '../../../src/log/index.ts';
import { methods, type FieldTable, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const hour = 3_600_000;
const table = (...entries: [string, FieldValue][]): FieldTable => new Map(entries);

async function confirming(peer: Peer): Promise<void> {
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
}

/** Declares an exchange and binds these queues to it. */
async function exchangeOf(
  peer: Peer,
  type: string,
  options: FieldTable,
  bindings: readonly (readonly [queue: string, key: string])[],
): Promise<void> {
  assert.match(await peer.exchange('x', type, { arguments: options }), /exchange\.declare-ok/);
  for (const [queue, key] of bindings) {
    await peer.declare(queue);
    assert.match(await peer.bind(queue, 'x', key), /queue\.bind-ok/);
  }
}

/** The messages in each queue, once there are `count` in all. */
async function countsOf(server: TestServer, queues: readonly string[], count: number): Promise<number[]> {
  const counts = (): number[] => queues.map((queue) => server.broker.topic(queue)!.durableCount);
  await eventually(() => counts().reduce((sum, one) => sum + one, 0) === count);
  return counts();
}

const weights = [
  ['a', '1'],
  ['b', '2'],
  ['c', '1'],
] as const;
const queues = weights.map(([queue]) => queue);

describe('x-consistent-hash', () => {
  it('sends each message to one queue, by weight, and the same key always to the same', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-consistent-hash', table(), weights);
    for (let i = 0; i < 2000; i++) peer.publish('x', `key ${i}`, 'm');
    const shares = await countsOf(server, queues, 2000);
    for (const [i, share] of [500, 1000, 500].entries())
      assert.ok(Math.abs(shares[i]! - share) < 100, shares.join());
    for (let i = 0; i < 50; i++) peer.publish('x', 'one key', 'm');
    const after = await countsOf(server, queues, 2050);
    assert.deepEqual(
      after.map((count, i) => count - shares[i]!).filter((more) => more > 0),
      [50],
    );
  });

  it('keeps its choice over a restart, and whatever the order of the bindings', async () => {
    const files = new MemoryFiles();
    const chosen = async (server: TestServer, peer: Peer): Promise<string[]> => {
      const before = queues.map((queue) => server.broker.topic(queue)!.durableCount);
      for (let i = 0; i < 20; i++) {
        peer.publish('x', `key ${i}`, `${i}`);
        await peer.expect('1 basic.ack');
      }
      const all: string[] = [];
      for (const [i, queue] of queues.entries()) {
        const partition = server.broker.topic(queue)!.partitions.at(0)!;
        for (let at = before[i]!; at < partition.nextOffset; at++)
          all.push(`${queue} ${Buffer.from((await partition.get(at))!.value!).toString()}`);
      }
      return all;
    };
    let first: string[];
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await exchangeOf(peer, 'x-consistent-hash', table(), weights);
      await confirming(peer);
      first = await chosen(server, peer);
    }
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await confirming(peer);
      assert.deepEqual(await chosen(server, peer), first);
    }
    await using other = await TestServer.start();
    using peer = await other.open();
    await exchangeOf(peer, 'x-consistent-hash', table(), weights.toReversed());
    await confirming(peer);
    assert.deepEqual(await chosen(other, peer), first);
  });

  it('moves only what a new binding gains', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-consistent-hash', table(), weights);
    for (let i = 0; i < 500; i++) peer.publish('x', `key ${i}`, 'm');
    const before = await countsOf(server, queues, 500);
    await peer.declare('d');
    await peer.bind('d', 'x', '1');
    for (let i = 0; i < 500; i++) peer.publish('x', `key ${i}`, 'm');
    const after = await countsOf(server, [...queues, 'd'], 1000);
    const gained = after[3]!;
    const lost = before.map((count, i) => 2 * count - after[i]!);
    assert.equal(
      lost.reduce((sum, one) => sum + one, 0),
      gained,
    );
    assert.ok(gained > 60 && gained < 140 && lost.every((one) => one >= 0), `${gained} of ${lost.join()}`);
  });

  it('hashes a header or a property if it is to', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const publish = async (options: FieldTable, propertiesOf: (i: number) => object): Promise<number> => {
      await exchangeOf(peer, 'x-consistent-hash', options, weights);
      const before = await countsOf(
        server,
        queues,
        queues.reduce((sum, queue) => sum + server.broker.topic(queue)!.count, 0),
      );
      const sum = before.reduce((all, one) => all + one, 0);
      for (let i = 0; i < 30; i++) peer.publish('x', `key ${i}`, 'm', propertiesOf(i));
      const after = await countsOf(server, queues, sum + 30);
      peer.send(methods.exchange.delete, { reserved1: 0, exchange: 'x', ifUnused: false, noWait: false });
      await peer.expect('1 exchange.delete-ok');
      return after.filter((count, i) => count > before[i]!).length;
    };
    const header = table(['hash-header', 'tenant']);
    assert.equal(await publish(header, () => ({ headers: table(['tenant', 'acme']) })), 1);
    assert.equal(await publish(header, (i) => ({ headers: table(['tenant', i]) })), 3);
    assert.equal(await publish(header, () => ({})), 1);
    const property = table(['hash-property', 'message_id']);
    assert.equal(await publish(property, () => ({ messageId: 'same' })), 1);
    assert.equal(await publish(property, (i) => ({ messageId: `${i}` })), 3);
  });

  it('refuses arguments and weights in the words of the plugin', async () => {
    await using server = await TestServer.start();
    const cases: readonly (readonly [string, FieldTable, string | undefined])[] = [
      [
        'hash-header and hash-property are mutually exclusive',
        table(['hash-header', 'a'], ['hash-property', 'b']),
        undefined,
      ],
      ['Unsupported property: app_id', table(['hash-property', 'app_id']), undefined],
      ['The binding key must be an integer: <<\\"many\\">>', table(), 'many'],
      ['The binding key must be greater than 0', table(), '0'],
    ];
    for (const [text, options, weight] of cases) {
      using peer = await server.open();
      await peer.declare('q');
      const declared = await peer.exchange(`x${weight}`, 'x-consistent-hash', { arguments: options });
      const line = weight === undefined ? declared : await peer.bind('q', `x${weight}`, weight);
      assert.ok(
        line.startsWith(`1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - ${text}"`),
        line,
      );
    }
    assert.equal(
      [...server.broker.attributes.names('amqp')].filter((name) => name.includes('undefined')).length,
      0,
    );
  });
});

describe('x-random and x-local-random', () => {
  for (const type of ['x-random', 'x-local-random'])
    it(`${type} sends each message to one queue`, async () => {
      await using server = await TestServer.start();
      using peer = await server.open();
      await exchangeOf(peer, type, table(), weights);
      for (let i = 0; i < 300; i++) peer.publish('x', 'same', 'm');
      for (const count of await countsOf(server, queues, 300)) assert.ok(count > 50, `${count} of 300`);
      for (const [queue, key] of weights.slice(1)) {
        peer.send(methods.queue.unbind, {
          reserved1: 0,
          queue,
          exchange: 'x',
          routingKey: key,
          arguments: table(),
        });
        await peer.expect('1 queue.unbind-ok');
      }
      const before = server.broker.topic('a')!.durableCount;
      for (let i = 0; i < 20; i++) peer.publish('x', 'same', 'm');
      await countsOf(server, queues, 320);
      assert.equal(server.broker.topic('a')!.durableCount, before + 20);
    });
});

describe('x-delayed-message', () => {
  const typed = (type: FieldValue): FieldTable => table(['x-delayed-type', type]);
  const delayed = (delay: FieldValue): { readonly headers: FieldTable } => ({
    headers: table(['x-delay', delay]),
  });

  it('brings a message after its delay, by the routing of its type, with the delay as a negative number', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-delayed-message', typed('topic'), [
      ['a', 'red.#'],
      ['b', 'blue'],
    ]);
    await confirming(peer);
    peer.publish('x', 'red.one', 'late', delayed(hour));
    await peer.expect('1 basic.ack');
    peer.publish('x', 'red.one', 'now', delayed(0));
    await peer.expect('1 basic.ack');
    await peer.consume('a', { noAck: true });
    assert.equal((await peer.message()).body, 'now');
    const { messages } = await server.broker.delayed.list({ limit: 10 });
    assert.equal(Math.round((messages[0]!.dueMs - server.broker.clock.now()) / hour), 1);
    await server.broker.delayed.publishNow(messages.map(({ id }) => id));
    const { method, header, body } = await peer.message();
    assert.match(method, /"exchange":"x","routingKey":"red\.one"/);
    assert.deepEqual([header, body], ['1 header 60 4 {"headers":{"x-delay":-3600000}}', 'late']);
    assert.equal(server.broker.topic('b')!.count, 0);
  });

  it('takes delays as the plugin does, and longer than 49 days', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-delayed-message', typed('fanout'), [['a', '']]);
    await confirming(peer);
    const years = 2 ** 40;
    for (const [delay, isDelayed] of [
      [hour, true],
      [`${hour}`, true],
      [hour + 0.5, true],
      [BigInt(years), true],
      [years, true],
      [-5, false],
      ['soon', false],
      [true, false],
    ] as const) {
      const before = server.broker.stats().delayed;
      peer.publish('x', '', 'm', delayed(delay));
      await peer.expect('1 basic.ack');
      assert.equal(server.broker.stats().delayed - before, isDelayed ? 1 : 0, `${delay}`);
    }
    const { messages } = await server.broker.delayed.list({ limit: 10 });
    const inMs = messages.map(({ dueMs }) => Math.round((dueMs - server.broker.clock.now()) / hour) * hour);
    assert.deepEqual(inMs.slice(0, 3), [hour, hour, hour]);
    assert.ok(Math.abs(inMs[3]! - years) < hour);
  });

  it('keeps what waits over a restart', async () => {
    const files = new MemoryFiles();
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await exchangeOf(peer, 'x-delayed-message', typed('direct'), [['a', 'k']]);
      await confirming(peer);
      peer.publish('x', 'k', 'late', { ...delayed(300), expiration: '3600000', priority: 3 });
      await peer.expect('1 basic.ack');
    }
    await using server = await TestServer.start({ files });
    using peer = await server.open();
    await peer.consume('a', { noAck: true });
    assert.equal((await peer.message()).body, 'late');
  });

  it('gives mandatory messages back at once, as the plugin does, and delivers them all the same', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-delayed-message', typed('direct'), [['a', 'k']]);
    peer.publish('x', 'k', 'm', { ...delayed(20), mandatory: true });
    const { method, header } = await peer.message();
    assert.match(method, /basic\.return \{"replyCode":312/);
    assert.match(header, /"x-delay":20/);
    await eventually(() => server.broker.topic('a')!.durableCount === 1);
  });

  it('delays what comes by another exchange, beside what does not', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-delayed-message', typed('fanout'), [['a', '']]);
    await peer.declare('b');
    await peer.bind('b', 'amq.fanout', '');
    peer.send(methods.exchange.bind, {
      reserved1: 0,
      destination: 'x',
      source: 'amq.fanout',
      routingKey: '',
      noWait: false,
      arguments: table(),
    });
    await peer.expect('1 exchange.bind-ok');
    peer.publish('amq.fanout', '', 'm', delayed(hour));
    await eventually(() => server.broker.topic('b')!.durableCount === 1);
    assert.equal(server.broker.stats().delayed, 1);
    assert.equal(server.broker.topic('a')!.count, 0);
  });

  it('is part of a transaction', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await exchangeOf(peer, 'x-delayed-message', typed('direct'), [['a', 'k']]);
    peer.send(methods.tx.select, {});
    await peer.expect('1 tx.select-ok');
    peer.publish('x', 'k', 'm', delayed(hour));
    await peer.silent();
    assert.equal(server.broker.stats().delayed, 0);
    peer.send(methods.tx.commit, {});
    await peer.expect('1 tx.commit-ok');
    assert.equal(server.broker.stats().delayed, 1);
  });

  it('needs a type to route by', async () => {
    await using server = await TestServer.start();
    for (const [options, code, text] of [
      [table(), 406, "PRECONDITION_FAILED - Invalid argument, 'x-delayed-type' must be"],
      [typed('x-delayed-message'), 406, "PRECONDITION_FAILED - Invalid argument, 'x-delayed-type' must be"],
      [typed('odd'), 406, "PRECONDITION_FAILED - unknown exchange type 'odd'"],
    ] as const) {
      using peer = await server.open();
      const line = await peer.exchange('x', 'x-delayed-message', { arguments: options });
      assert.ok(line.includes(`close {"replyCode":${code},"replyText":"${text}`), line);
    }
    using peer = await server.open();
    await peer.exchange('x', 'x-delayed-message', { arguments: typed('x-consistent-hash') });
    await peer.declare('a');
    assert.match(await peer.bind('a', 'x', 'many'), /The binding key must be an integer/);
  });
});

test('an exchange of an unknown type is refused, and its channel alone is closed', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  const line = await peer.exchange('x', 'odd');
  assert.match(
    line,
    /^1 channel.close \{"replyCode":406,"replyText":"PRECONDITION_FAILED - unknown exchange type 'odd'"/,
  );
  peer.send(methods.channel.closeOk, {});
  peer.send(methods.channel.open, { reserved1: '' });
  await peer.expect('1 channel.open-ok');
  assert.equal(await peer.exchange('x', 'direct'), '1 exchange.declare-ok {}');
});
