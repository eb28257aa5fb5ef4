import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodeProperties,
  methodFrame,
  methods,
  type FieldTable,
  type FieldValue,
  type Method,
} from '../../../src/wire/amqp/index.ts';
import { greeting } from '../../crash/costly/amqp-frames.ts';
import { type Peer, TestServer } from '../../protocols/amqp/amqp-kit.ts';
import type { Target } from '../target.ts';

/** All methods, the server's own ones too: a client may send them. */
const menu: readonly Method[] = Object.values(methods).flatMap((one) => Object.values(one) as Method[]);
const names = ['', 'q', 'r', 's', 'e', 'amq.topic', 'amq.headers', 'amq.fanout', 'amq.rabbitmq.reply-to'];
const patterns = ['', 'q', '#', 'a.*', 'a.#.b', '#.#', 'a.b', 'x'.repeat(255)];
const types = ['direct', 'fanout', 'topic', 'headers', 'x'];
const argumentNames = [
  'x-match',
  'x-max-length',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-queue-type',
  'x-max-priority',
  'x-expires',
  'x-stream-offset',
  'x-single-active-consumer',
  'x-priority',
  'alternate-exchange',
  'CC',
  'BCC',
];
const values: readonly FieldValue[] = [
  1,
  0,
  -1,
  '',
  'q',
  'any',
  'stream',
  'first',
  true,
  null,
  ['a', 'q', 1],
];
const closeConnection = methodFrame(0, methods.connection.close, {
  replyCode: 200,
  replyText: '',
  failedClass: 0,
  failedMethod: 0,
});
/** Steps of one input, so that each is over soon. */
const stepsMax = 200;
/** For the server's last words, and for a canary on a busy machine. */
const patienceMs = 20_000;

/** Bytes that choose: every sequence of them is a session. */
class Choices {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  of<T>(all: readonly T[]): T {
    return all[this.byte() % all.length]!;
  }
}

/** Frames of a client in any order, each one valid by itself, cut anywhere; and another client meanwhile. */
export const amqpSession: Target = {
  name: 'amqp-session',
  seeds: () => [
    script(methods.queue.declare, methods.basic.consume, methods.basic.publish, methods.basic.ack),
    script(methods.exchange.declare, methods.queue.declare, methods.queue.bind, methods.basic.publish),
    script(
      methods.tx.select,
      methods.basic.publish,
      methods.basic.get,
      methods.basic.nack,
      methods.tx.commit,
    ),
    script(methods.confirm.select, methods.basic.publish, methods.basic.recover, methods.channel.close),
    script(methods.channel.open, methods.basic.qos, methods.basic.consume, methods.basic.cancel),
  ],
  prepare: () => async (input) => {
    // A server for each input, so that none is left when a run is over.
    const live = await Live.start();
    try {
      const middle = input.length >> 1;
      await Promise.all([play(live.port, input.subarray(0, middle)), live.canary()]);
      await Promise.all([play(live.port, input), play(live.port, input.subarray(middle)), live.canary()]);
    } finally {
      await live.stop();
    }
  },
};

/** A server, and a client that wants to work. */
class Live {
  readonly #server: TestServer;
  readonly #peer: Peer;

  private constructor(server: TestServer, peer: Peer) {
    this.#server = server;
    this.#peer = peer;
  }

  static async start(): Promise<Live> {
    const server = await TestServer.start();
    const peer = await server.open();
    await peer.declare('canary');
    return new Live(server, peer);
  }

  get port(): number {
    return this.#server.port;
  }

  /** The canary gets its message. Throws if it does not. */
  async canary(): Promise<void> {
    const peer = this.#peer;
    peer.publish('', 'canary', 'alive');
    for (let tries = 0; ; tries++) {
      peer.get('canary', true);
      const answer = await peer.next();
      // The message may not be on disk yet.
      if (answer.startsWith('1 basic.get-empty') && tries < 1000) continue;
      if (!answer.startsWith('1 basic.get-ok')) throw new Error(`the canary got ${answer}`);
      await peer.expect('1 header');
      await peer.expect('1 body alive');
      return;
    }
  }

  async stop(): Promise<void> {
    this.#peer.end();
    await this.#server[Symbol.asyncDispose]();
  }
}

/**
 * Plays a session to its end: the server answers the close at its end, or has ended the connection before.
 */
async function play(port: number, input: Buffer): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  socket.on('data', () => {});
  const ended = once(socket, 'close');
  const choices = new Choices(input);
  socket.write(greeting);
  for (let step = 0; step < stepsMax && !choices.isOver; step++)
    await send(socket, Buffer.concat(frames(choices)), choices);
  socket.end(closeConnection);
  const late = sleep(patienceMs, 'late', { ref: false });
  if ((await Promise.race([ended, late])) === 'late') throw new Error('the session does not end');
}

/** Sends bytes in up to two pieces, the second one in a later turn. */
async function send(socket: Socket, bytes: Buffer, choices: Choices): Promise<void> {
  const cut = choices.byte();
  if (cut < 128) return void socket.write(bytes);
  const at = Math.floor((bytes.length * (cut - 128)) / 128);
  socket.write(bytes.subarray(0, at));
  await new Promise(setImmediate);
  socket.write(bytes.subarray(at));
}

/** A method with any arguments, and often the content that belongs to it. */
function frames(choices: Choices): Buffer[] {
  const method = choices.of(menu);
  const channel = choices.of([1, 1, 1, 1, 2, 0, 2047, 65_535]);
  const given: { [name: string]: unknown } = {};
  for (const [name, type] of Object.entries(method.arguments)) given[name] = argument(name, type, choices);
  const frame = methodFrame(channel, method, given as never);
  if (!method.hasContent && choices.byte() < 230) return [frame];
  const [announced, sent] = [choices.of([0, 3, 10, 2 ** 21]), choices.of([0, 3, 10, 5000])];
  const properties = encodeProperties({
    headers: table(choices),
    expiration: choices.of(['1', '1000', 'x']),
    priority: choices.byte(),
  });
  const head = Buffer.alloc(12);
  head.writeUInt16BE(60, 0);
  head.writeBigUInt64BE(BigInt(choices.byte() < 200 ? sent : announced), 4);
  const body = Buffer.alloc(sent, 'b');
  const all = [frame, framed(2, channel, Buffer.concat([head, properties])), framed(3, channel, body)];
  // Parts that are missing, and parts that come twice.
  return choices.byte() < 200 ? all : [choices.of(all), choices.of(all)];
}

function framed(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.from([type, channel >> 8, channel & 255, 0, 0, 0, 0]);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

function argument(name: string, type: Method['arguments'][string], choices: Choices): unknown {
  switch (type) {
    case 'bit':
      return choices.byte() > 200;
    case 'shortstr':
      return name === 'routingKey'
        ? choices.of(patterns)
        : name === 'type'
          ? choices.of(types)
          : choices.of(names);
    case 'longstr':
      return Buffer.alloc(choices.byte());
    case 'table':
      return table(choices);
    case 'longlong':
      return choices.of([0, 1, 2, 100, 2 ** 53]);
    default:
      return choices.byte();
  }
}

function table(choices: Choices): FieldTable {
  const entries = new Map<string, FieldValue>();
  for (let left = choices.of([0, 0, 0, 1, 2, 5]); left > 0; left--)
    entries.set(choices.of(argumentNames), choices.of(values));
  return entries;
}

/** Choices that begin with these methods. */
function script(...all: readonly Method[]): Buffer {
  const padding = Buffer.from([0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat(all.flatMap((method) => [Buffer.from([menu.indexOf(method)]), padding]));
}
