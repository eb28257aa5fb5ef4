import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryFiles } from '../../../src/log/index.ts';
import { withOffset } from '../../../src/protocols/amqp/streams/offset-header.ts';
import {
  encodeProperties,
  methods,
  readProperties,
  Timestamp,
  type FieldValue,
  type Properties,
} from '../../../src/wire/amqp/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const table = (entries: { readonly [name: string]: FieldValue }): ReadonlyMap<string, FieldValue> =>
  new Map(Object.entries(entries));
const stream = { arguments: table({ 'x-queue-type': 'stream' }) };

/** Declares a stream and publishes these bodies. */
async function filled(server: TestServer, peer: Peer, ...bodies: readonly string[]): Promise<void> {
  await peer.declare('s', stream);
  for (const body of bodies) peer.publish('', 's', body);
  await eventually(() => server.broker.topic('s')!.durableCount === bodies.length);
}

async function prefetch(peer: Peer, prefetchCount: number, global = false): Promise<void> {
  peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount, global });
  await peer.expect('1 basic.qos-ok');
}

const from = (offset: FieldValue): { readonly arguments: ReadonlyMap<string, FieldValue> } => ({
  arguments: table({ 'x-stream-offset': offset }),
});

/** The bodies of the next messages. */
async function bodies(peer: Peer, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push((await peer.message()).body);
  return all;
}

describe('a stream', () => {
  it('is a topic whose limits alone remove messages', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const declared = await peer.declare('s', {
      arguments: table({
        'x-queue-type': 'stream',
        'x-max-age': '7D',
        'x-max-length-bytes': 10_000,
        'x-stream-max-segment-size-bytes': 1_000_000,
      }),
    });
    assert.equal(declared, '1 queue.declare-ok {"queue":"s","messageCount":0,"consumerCount":0}');
    const { config, groups } = server.broker.topic('s')!;
    assert.deepEqual(
      [config.retention, config.durability, config.ageMsMax, config.bytesMax],
      ['limits', 'disk', 7 * 24 * 3_600_000, 10_000],
    );
    assert.equal(groups.size, 0);
  });

  it('keeps what is acked, for every reader', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await filled(server, peer, 'a', 'b', 'c');
    for (const reader of [peer, other]) {
      await prefetch(reader, 10);
      await reader.consume('s', from('first'));
      assert.deepEqual(await bodies(reader, 3), ['a', 'b', 'c']);
      reader.ack(3, true);
      await reader.silent();
    }
    assert.equal(
      await peer.declare('s', { passive: true }),
      '1 queue.declare-ok {"queue":"s","messageCount":3,"consumerCount":0}',
    );
    assert.equal(server.broker.topic('s')!.count, 3);
  });

  it('is there after a restart, and its readers are not', async () => {
    const files = new MemoryFiles();
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await filled(server, peer, 'a');
      await prefetch(peer, 1);
      await peer.consume('s');
      assert.equal(server.broker.topic('s')!.groups.size, 1);
    }
    await using server = await TestServer.start({ files });
    using peer = await server.open();
    assert.equal(server.broker.topic('s')!.groups.size, 0);
    await peer.declare('s', stream);
    await prefetch(peer, 1);
    await peer.consume('s', from('first'));
    assert.deepEqual(await bodies(peer, 1), ['a']);
  });

  it('refuses what streams do not have', async () => {
    await using server = await TestServer.start();
    const declarations = [
      [{ durable: false }, 406, "PRECONDITION_FAILED - invalid property 'non-durable' for queue 's'"],
      [{ autoDelete: true }, 406, "PRECONDITION_FAILED - invalid property 'auto-delete' for queue 's'"],
      [{ exclusive: true }, 406, "PRECONDITION_FAILED - invalid property 'exclusive-owner' for queue 's'"],
    ] as const;
    for (const [options, code, text] of declarations) {
      using peer = await server.open();
      const line = await peer.declare('s', { ...stream, ...options });
      assert.ok(line.startsWith(`1 channel.close {"replyCode":${code},"replyText":"${text}`), line);
    }
    for (const [name, value] of [
      ['x-message-ttl', 5],
      ['x-max-length', 5],
      ['x-max-age', 'soon'],
      ['x-max-length-bytes', 0],
    ] as const) {
      using peer = await server.open();
      const given = table({ 'x-queue-type': 'stream', [name]: value });
      const line = await peer.declare('s', { arguments: given });
      assert.ok(line.includes(`PRECONDITION_FAILED - invalid arg '${name}' for queue 's'`), line);
    }
    assert.equal(server.broker.topics.size, 0);
  });

  it('is not deleted while it is read, if that is asked for', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('s', stream);
    await prefetch(peer, 1);
    await peer.consume('s');
    peer.send(methods.queue.delete, {
      reserved1: 0,
      queue: 's',
      ifUnused: true,
      ifEmpty: false,
      noWait: false,
    });
    await peer.expect('1 channel.close {"replyCode":406');
  });

  it('knows no basic.get and no purge', async () => {
    await using server = await TestServer.start();
    for (const ask of [
      (peer: Peer): void => peer.get('s'),
      (peer: Peer): void => peer.send(methods.queue.purge, { reserved1: 0, queue: 's', noWait: false }),
    ]) {
      using peer = await server.open();
      await peer.declare('s', stream);
      ask(peer);
      await peer.expect('0 connection.close {"replyCode":540,"replyText":"NOT_IMPLEMENTED');
    }
  });
});

describe('a consumer of a stream', () => {
  it('starts where it says', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ brokerOptions: { clock } });
    using peer = await server.open();
    await peer.declare('s', stream);
    const topic = server.broker.topic('s')!;
    for (const [i, body] of ['a', 'b', 'c'].entries())
      await topic.send({ value: body, timestampMs: clock.now() - (3 - i) * 3_600_000 });
    const cases: readonly (readonly [start: FieldValue | undefined, bodies: readonly string[]])[] = [
      ['first', ['a', 'b', 'c', 'd']],
      ['last', ['c', 'd']],
      ['next', ['d']],
      [undefined, ['d']],
      [1, ['b', 'c', 'd']],
      [3, ['d']],
      [new Timestamp(1_700_000_000 - 2 * 3600), ['b', 'c', 'd']],
      ['90m', ['c', 'd']],
    ];
    for (const [start, expected] of cases) {
      using reader = await server.open();
      await prefetch(reader, 10);
      assert.equal(
        await reader.consume('s', start === undefined ? {} : from(start)),
        '1 basic.consume-ok {"consumerTag":"c"}',
      );
      const { offset } = await topic.send({ value: 'd' });
      assert.deepEqual(await bodies(reader, expected.length), expected, shownStart(start));
      await topic.partitions.at(0)!.delete(offset);
    }
  });

  it('has credit for as many messages as its prefetch, and gets it by any answer', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await filled(server, peer, 'a', 'b', 'c', 'd', 'e');
    await prefetch(peer, 2);
    await peer.consume('s', from('first'));
    assert.deepEqual(await bodies(peer, 2), ['a', 'b']);
    await peer.silent();
    peer.nack(1, true);
    assert.deepEqual(await bodies(peer, 1), ['c']);
    await peer.silent();
    peer.nack(3, false, true);
    assert.deepEqual(await bodies(peer, 2), ['d', 'e']);
  });

  it('sees the offset of each message', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('s', stream);
    peer.publish('', 's', 'a', { contentType: 'text/plain', messageId: 'm' });
    peer.publish('', 's', 'b', { headers: table({ 'x-stream-offset': 77, tenant: 'acme' }) });
    await prefetch(peer, 2);
    await peer.consume('s', from('first'));
    const first = await peer.message();
    assert.match(first.method, /"redelivered":false/);
    assert.ok(
      first.header.endsWith('{"contentType":"text/plain","headers":{"x-stream-offset":0},"messageId":"m"}'),
      first.header,
    );
    assert.ok((await peer.message()).header.endsWith('{"headers":{"x-stream-offset":1,"tenant":"acme"}}'));
  });

  it('gets what its filter passes', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('s', stream);
    for (const value of ['eu', 'us', 'eu-west', 'asia'])
      peer.publish('', 's', value, { headers: table({ 'x-stream-filter-value': value }) });
    peer.publish('', 's', 'none');
    await eventually(() => server.broker.topic('s')!.durableCount === 5);
    const cases: readonly (readonly [
      arguments: { readonly [name: string]: FieldValue },
      bodies: string[],
    ])[] = [
      [{ 'x-stream-filter': 'eu' }, ['eu']],
      [{ 'x-stream-filter': ['asia', 'us'] }, ['us', 'asia']],
      [{ 'x-stream-filter': 'eu', 'x-stream-match-unfiltered': true }, ['eu', 'none']],
    ];
    for (const [given, expected] of cases) {
      using reader = await server.open();
      await prefetch(reader, 1);
      await reader.consume('s', { arguments: table({ 'x-stream-offset': 'first', ...given }) });
      for (const [i, body] of expected.entries()) {
        assert.deepEqual(await bodies(reader, 1), [body]);
        reader.ack(i + 1);
      }
      await reader.silent();
    }
  });

  it('has a position of its own, which ends with it', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('s', stream);
    const { groups } = server.broker.topic('s')!;
    for (const reader of [peer, other]) {
      await prefetch(reader, 1);
      await reader.consume('s');
    }
    assert.equal(groups.size, 2);
    peer.send(methods.basic.cancel, { consumerTag: 'c', noWait: false });
    await peer.expect('1 basic.cancel-ok');
    await eventually(() => groups.size === 1);
    other.end();
    await eventually(() => groups.size === 0);
  });

  it('may answer after its end', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await filled(server, peer, 'a', 'b');
    await prefetch(peer, 1);
    await peer.consume('s', from('first'));
    assert.deepEqual(await bodies(peer, 1), ['a']);
    peer.send(methods.basic.cancel, { consumerTag: 'c', noWait: false });
    await peer.expect('1 basic.cancel-ok');
    peer.ack(1);
    await peer.silent();
  });

  it('hears of the end of its stream', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('s', stream);
    await prefetch(peer, 1);
    await peer.consume('s');
    await server.broker.topic('s')!.delete();
    await peer.expect('1 basic.cancel {"consumerTag":"c"');
  });

  it('needs a prefetch of its own and acks, and a start that there is', async () => {
    await using server = await TestServer.start();
    const shown = "queue 's' in vhost '/'";
    const cases = [
      [0, {}, '1 channel.close {"replyCode":406', `consumer prefetch count is not set for '${shown}'`],
      [5, { noAck: true }, '0 connection.close {"replyCode":540', 'automatic acknowledgement not supported'],
      [5, from('soon'), '1 channel.close {"replyCode":406', "invalid arg 'x-stream-offset'"],
      [5, from(-1), '1 channel.close {"replyCode":406', "invalid arg 'x-stream-offset'"],
    ] as const;
    for (const [count, options, code, text] of cases) {
      using peer = await server.open();
      await peer.declare('s', stream);
      await prefetch(peer, count);
      const line = await peer.consume('s', options);
      assert.ok(line.startsWith(code) && line.includes(text), line);
    }
    using peer = await server.open();
    await prefetch(peer, 5);
    await prefetch(peer, 5, true);
    assert.match(await peer.consume('s'), /540.*does not support global qos/);
    assert.equal(server.broker.topic('s')!.groups.size, 0);
  });

  it('with a single active one goes on where the last one ended', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    const single = table({ 'x-queue-type': 'stream', 'x-single-active-consumer': true });
    await peer.declare('s', { arguments: single });
    for (const body of ['a', 'b', 'c']) peer.publish('', 's', body);
    await eventually(() => server.broker.topic('s')!.durableCount === 3);
    for (const reader of [peer, other]) {
      await prefetch(reader, 2);
      await reader.consume('s', from('first'));
    }
    assert.deepEqual(await bodies(peer, 2), ['a', 'b']);
    peer.ack(1);
    assert.deepEqual(await bodies(peer, 1), ['c']);
    await other.silent();
    peer.end();
    const next = await other.message();
    assert.equal(next.body, 'b');
    assert.match(next.header, /"x-stream-offset":1/);
    assert.deepEqual(await bodies(other, 1), ['c']);
    assert.equal(server.broker.topic('s')!.count, 3);
  });
});

describe('a topic of another protocol', () => {
  it('is a stream for consumers with an offset if it keeps its messages', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const topic = await server.broker.createTopic({ name: 't' });
    for (const value of ['a', 'b']) await topic.send({ value });
    await peer.declare('t', stream);
    await prefetch(peer, 5);
    await peer.consume('t', from('first'));
    assert.deepEqual(await bodies(peer, 2), ['a', 'b']);
    using other = await server.open();
    other.get('t');
    assert.equal((await other.message()).body, 'a');
  });

  it('is none if acks remove its messages', async () => {
    await using server = await TestServer.start();
    await server.broker.createTopic({ name: 't', retention: 'queue' });
    using peer = await server.open();
    const line = await peer.consume('t', from('first'));
    assert.ok(line.startsWith('1 channel.close {"replyCode":406'), line);
    assert.ok(line.includes("invalid arg 'x-stream-offset' for queue 't'"), line);
  });
});

describe('the header x-stream-offset', () => {
  it('is added to any properties', () => {
    const cases: readonly Properties[] = [
      {},
      { contentType: 'a', contentEncoding: 'b' },
      { headers: table({ a: 1 }), deliveryMode: 2 },
      { contentEncoding: 'b', headers: table({ a: 'x', b: table({ c: null }) }), appId: 'me' },
    ];
    for (const properties of cases)
      for (const offset of [0, 2 ** 40 + 7])
        assert.deepEqual(readProperties(withOffset(encodeProperties(properties), offset)), {
          ...properties,
          headers: new Map([...(properties.headers ?? []), ['x-stream-offset', offset]]),
        });
  });
});

function shownStart(start: FieldValue | undefined): string {
  return `from ${start instanceof Timestamp ? start.seconds : (start as string | number | undefined)}`;
}
