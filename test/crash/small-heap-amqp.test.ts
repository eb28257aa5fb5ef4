import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methods, type FieldTable } from '../../src/wire/amqp/index.ts';
import { Peer } from '../protocols/amqp/amqp-kit.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { serveIn } from './serve-in.ts';

const noArguments: FieldTable = new Map();
/** Requests between two answers: some wait for a commit each. */
const batch = 200;
const slowBatch = 10;
/** After so many refusals the budget is surely used up, and nothing has changed. */
const refusalsWanted = 5;
/** Connections that declare queues at once: each waits for the commit of its own. */
const declarers = 128;

/** Channels that are opened one after another: each is closed by its first refusal. */
class Channels {
  readonly #peer: Peer;
  number = 1;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /**
   * Sends requests without answers, `atOnce` at a time, until the broker has refused so many of them; returns
   * how many it took before the first refusal, roughly, and the first refusal.
   */
  async flood(
    send: (at: number, channel: number) => void,
    max: number,
    atOnce = batch,
  ): Promise<[number, string]> {
    let sent = 0;
    let taken = 0;
    let first = '';
    for (let refusals = 0; refusals < refusalsWanted && sent < max;) {
      const size = first === '' ? atOnce : 1;
      for (let at = 0; at < size; at++) send(sent++, this.number);
      this.#peer.send(methods.channel.flow, { active: true }, this.number);
      const answer = await this.#peer.next();
      if (answer.startsWith(`${this.number} channel.flow-ok`)) {
        taken += size;
        continue;
      }
      assert.match(answer, / channel\.close \{"replyCode":406/);
      first ||= answer;
      refusals++;
      this.#peer.send(methods.channel.closeOk, {}, this.number);
      this.number++;
      this.#peer.send(methods.channel.open, { reserved1: '' }, this.number);
      await this.#peer.expect(`${this.number} channel.open-ok`);
    }
    return [taken, first];
  }
}

async function opened(port: number): Promise<Peer> {
  const peer = await Peer.connect(port);
  await peer.handshake();
  peer.send(methods.channel.open, { reserved1: '' });
  await peer.expect('1 channel.open-ok');
  return peer;
}

test('a broker with a heap of 256 MiB outlives floods of bindings, exchanges and queues, and refuses the excess', async () => {
  await using directory = await makeTemporaryDirectory();
  const broker = await serveIn(directory.path, {
    args: ['--disk-free-min', '0'],
    nodeArgs: ['--max-old-space-size=256'],
  });
  await broker.start();
  try {
    using other = await opened(broker.amqpPort);
    await other.declare('jobs');
    using peer = await opened(broker.amqpPort);
    const channels = new Channels(peer);
    // Keys of 128 words each: the most that a topic exchange can be made to remember for its bytes.
    const words = Array.from({ length: 122 }, (_, at) => String.fromCharCode(97 + (at % 26))).join('.');
    await peer.exchange('flooded', 'topic', { durable: false });
    const binding = { reserved1: 0, queue: 'jobs', exchange: 'flooded', noWait: true };
    const [bound, unbound] = await channels.flood((at, channel) => {
      const routingKey = `${at.toString(36)}.${words}`;
      peer.send(methods.queue.bind, { ...binding, routingKey, arguments: noArguments }, channel);
    }, 100_000);
    assert.match(unbound, /cannot bind to exchange 'flooded' .* exchanges and bindings is reached/);
    assert.ok(bound >= 1_000 && bound < 20_000, `${bound} bindings`);

    // What is left of that budget goes to exchanges.
    const [, undeclared] = await channels.flood((at, channel) => {
      const exchange = { reserved1: 0, exchange: `x${at}`, type: 'fanout', passive: false, durable: false };
      const rest = { autoDelete: false, internal: false, noWait: true, arguments: noArguments };
      peer.send(methods.exchange.declare, { ...exchange, ...rest }, channel);
    }, 100_000);
    assert.match(undeclared, /cannot declare exchange 'x\d+' .* exchanges and bindings is reached/);

    let declared = 0;
    const declare = async (_: unknown, by: number): Promise<void> => {
      using declarer = await opened(broker.amqpPort);
      const [taken, refused] = await new Channels(declarer).flood(
        (at, channel) => {
          const queue = { reserved1: 0, queue: `q${by}-${at}`, passive: false, durable: false };
          const rest = { exclusive: false, autoDelete: false, noWait: true, arguments: noArguments };
          declarer.send(methods.queue.declare, { ...queue, ...rest }, channel);
        },
        100_000,
        slowBatch,
      );
      assert.match(refused, /PRECONDITION_FAILED - The broker has \d+ of at most \d+ |memory/);
      declared += taken;
    };
    await Promise.all(Array.from({ length: declarers }, declare));
    assert.ok(declared >= 1_000 && declared < 30_000, `${declared} queues`);

    // The others go on, and what was durable is there after a start.
    other.send(methods.confirm.select, { noWait: false });
    await other.expect('1 confirm.select-ok');
    other.publish('', 'jobs', 'x', { deliveryMode: 2 });
    await other.expect('1 basic.ack');
    assert.equal(await broker.stop(), 0);
    await broker.start();
    using again = await opened(broker.amqpPort);
    again.get('jobs');
    assert.match((await again.message()).method, /^1 basic\.get-ok/);
    assert.match(
      await again.declare('q0-0', { passive: true }),
      /404,"replyText":"NOT_FOUND - no queue 'q0-0'/,
    );
  } finally {
    await broker.kill();
  }
});
