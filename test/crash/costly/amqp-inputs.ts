import { once } from 'node:events';
import { connect } from 'node:net';
import { methodFrame, methods, type FieldTable, type FieldValue } from '../../../src/wire/amqp/index.ts';
import {
  bindExchange,
  bindQueue,
  closeChannel,
  consume,
  declareExchange,
  declareQueue,
  deleteExchange,
  deleteQueue,
  each,
  endOfChannel,
  frameBytesMax,
  get,
  greeting,
  noArguments,
  openChannel,
  publish,
  times,
} from './amqp-frames.ts';
import type { CostlyInput, Ports } from './input.ts';

/** What the headers of one message may have: a frame, less its other parts. */
const headersBytesMax = frameBytesMax - 100;

function amqp(
  name: string,
  bytes: () => readonly Buffer[],
  before?: () => readonly Buffer[],
  more: Partial<CostlyInput> = {},
): CostlyInput {
  return {
    name: `AMQP ${name}`,
    protocol: 'amqp',
    ...(before && { prepare: (ports: Ports) => done(ports, before()) }),
    bytes: () => Buffer.concat([...bytes(), closeChannel]),
    answers: 1,
    ...more,
  };
}

/** Sends frames, and resolves when they are carried out. */
export async function done({ amqp: port }: Ports, frames: readonly Buffer[]): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(Buffer.concat([greeting, ...frames, closeChannel]));
  let seen = '';
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen = (seen + chunk.toString('latin1')).slice(-300);
    if (!endOfChannel.test(seen)) continue;
    socket.destroy();
    if (!seen.includes('\x00\x14\x00\x29')) throw new Error(`not prepared: ${seen}`);
    return;
  }
}

/** A table of so many entries of about so many bytes. */
function entries(bytes: number, value: (at: number) => FieldValue): FieldTable {
  return new Map(Array.from({ length: bytes }, (_, at) => [at.toString(36), value(at)]));
}

const copies = (key: (at: number) => string, bytes: number): FieldTable =>
  new Map([['CC', Array.from({ length: Math.floor(headersBytesMax / bytes) }, (_, at) => key(at))]]);

/** As many levels as said, and not as bytes that are read to the end. */
function nested(levels: number): FieldTable {
  let table: FieldTable = new Map([['x', 1]]);
  for (let level = 1; level < levels; level++) table = new Map([['x', table]]);
  return table;
}

/** A pattern of 127 words, a number in the first ones. */
function pattern(at: number, words: readonly [string, string]): string {
  const bits = at.toString(2).padStart(14, '0');
  return Array.from({ length: 127 }, (_, word) => words[Number(bits[word] ?? word % 2) as 0 | 1]).join('.');
}

const key = 'a.'.repeat(127).slice(0, -1);
const select = methodFrame(1, methods.tx.select, {});
const commit = methodFrame(1, methods.tx.commit, {});
const confirm = methodFrame(1, methods.confirm.select, { noWait: true });
const recover = methodFrame(1, methods.basic.recover, { requeue: true });
const nackAll = methodFrame(1, methods.basic.nack, { deliveryTag: 0, multiple: true, requeue: true });
const queue = (): Buffer[] => [declareQueue('q')];
/** A queue with so many messages of a byte. */
const full = (count: number) => (): Buffer[] => [
  declareQueue('q'),
  times(count, publish('', 'q', {}, Buffer.from('x'))),
];

export const amqpInputs: readonly CostlyInput[] = [
  amqp('queue.declare, 2,000 queues', () => [each(2_000, (at) => declareQueue(`q${at}`))]),
  amqp('queue.declare, 2,000 names of 255 bytes', () => [
    each(2_000, (at) => declareQueue(String(at).padEnd(255, 'q'))),
  ]),
  amqp('3,000 exclusive queues, and the connection ends', () => [
    each(3_000, (at) => declareQueue(`q${at}`, { exclusive: true })),
  ]),
  amqp(
    'queue.bind, 3,000 keys',
    () => [each(3_000, (at) => bindQueue('q', 'amq.direct', String(at)))],
    queue,
  ),
  amqp(
    'exchange.delete with 5,000 bindings',
    () => [deleteExchange('e')],
    () => [...queue(), declareExchange('e', 'direct'), each(5_000, (at) => bindQueue('q', 'e', String(at)))],
  ),
  amqp(
    'queue.delete with 5,000 bindings',
    () => [deleteQueue('q')],
    () => [...queue(), each(5_000, (at) => bindQueue('q', 'amq.direct', String(at)))],
  ),
  amqp(
    'queue.bind of 300 patterns of 127 words with #, and ten publishes',
    () => [
      each(300, (at) => bindQueue('q', 'amq.topic', pattern(at, ['#', 'a']))),
      each(10, (at) => publish('amq.topic', `${key}.${at}`)),
    ],
    queue,
  ),
  amqp(
    'queue.bind of #.#.#, and CC of 9,000 keys',
    () => [
      bindQueue('q', 'amq.topic', `${'#.'.repeat(126)}#`),
      publish('amq.topic', 'a', { headers: copies((at) => `a.b.${at}`, 14) }),
    ],
    queue,
  ),
  amqp(
    'CC of 1,000 keys of 60 words, and 200 patterns with #',
    () => [
      each(200, (at) => bindQueue('q', 'amq.topic', pattern(at, ['#', '*']))),
      publish('amq.topic', 'a', { headers: copies((at) => `${'a.'.repeat(60)}${at}`, 130) }),
    ],
    queue,
  ),
  amqp(
    'CC of 15,000 keys by the default exchange',
    () => [times(10, publish('', 'q', { headers: copies((at) => at.toString(36), 8) }))],
    queue,
  ),
  amqp(
    'headers bindings of 10,000 arguments each, 100 of them, and ten publishes',
    () => [
      each(100, (at) => {
        const table = new Map([['x-match', 'any'], ...entries(10_000, () => at)]) as FieldTable;
        return bindQueue('q', 'amq.headers', '', table);
      }),
      times(10, publish('amq.headers', '', { headers: entries(10_000, () => 'x') })),
    ],
    queue,
  ),
  amqp(
    'headers bindings, 1,000 of them, and a message with a table of 100 KB',
    () => [
      each(1_000, (at) => bindQueue('q', 'amq.headers', '', new Map([['t', new Map([['x', at]])]]))),
      publish('amq.headers', '', { headers: new Map([['t', entries(12_000, () => 1)]]) }),
    ],
    queue,
  ),
  amqp(
    'a message to each of 1,000 queues, ten times',
    () => [times(10, publish('amq.fanout', ''))],
    () => [
      each(1_000, (at) => Buffer.concat([declareQueue(`q${at}`), bindQueue(`q${at}`, 'amq.fanout', '')])),
    ],
  ),
  amqp(
    'a chain of 500 exchanges, and 1,000 publishes with keys of their own',
    () => [each(1_000, (at) => publish('e0', String(at)))],
    () => [
      each(501, (at) => declareExchange(`e${at}`, 'fanout')),
      each(500, (at) => bindExchange(`e${at}`, `e${at + 1}`)),
    ],
  ),
  amqp(
    'tx.commit of 32,000 publishes',
    () => [select, times(32_000, publish('', 'q', {}, Buffer.from('x'))), commit],
    queue,
  ),
  amqp('publishes with confirms, 2 MiB of them', () => [confirm, times(30_000, publish('', 'q'))], queue),
  amqp('a consumer without a prefetch of a long queue', () => [consume('q', 'c')], full(80_000)),
  amqp('basic.recover, 1,000 times', () => [consume('q', 'c'), times(1_000, recover)], full(20_000)),
  amqp('basic.nack of all, 1,000 times', () => [consume('q', 'c'), times(1_000, nackAll)], full(20_000)),
  amqp('basic.get, 20,000 times', () => [times(20_000, get('q'))], full(30_000)),
  amqp('10,000 consumers of a queue, and a publish', () => [
    declareQueue('q'),
    each(10_000, (at) => consume('q', `c${at}`)),
    publish('', 'q'),
  ]),
  amqp('basic.consume and basic.cancel, 10,000 times', () => [
    declareQueue('q'),
    each(10_000, (at) =>
      Buffer.concat([
        consume('q', `c${at}`),
        methodFrame(1, methods.basic.cancel, { consumerTag: `c${at}`, noWait: true }),
      ]),
    ),
  ]),
  amqp('tables of 64 levels, 1,000 of them', () => [
    times(1_000, declareQueue('q', { arguments: nested(64) })),
  ]),
  amqp('a table of a hundred levels', () => [declareQueue('q', { arguments: nested(100) })]),
  amqp('arguments of a queue, 100 KB of them', () => [
    declareQueue('q', { arguments: new Map([['y', entries(12_000, () => 1)]]) }),
  ]),
  amqp('channel.open of 65,535 channels', () => [each(65_534, (at) => openChannel(at + 2))]),
  amqp(
    'a stream filter of 10,000 texts over 5,000 messages',
    () => [
      methodFrame(1, methods.basic.qos, { prefetchSize: 0, prefetchCount: 100, global: false }),
      consume('s', 'c', {
        arguments: new Map<string, FieldValue>([
          ['x-stream-offset', 'first'],
          ['x-stream-filter', Array.from({ length: 10_000 }, (_, at) => `f${at}`)],
        ]),
      }),
      times(100, get('nobody')),
    ],
    () => [
      declareQueue('s', { arguments: new Map([['x-queue-type', 'stream']]) }),
      times(5_000, publish('', 's', { headers: new Map([['x-stream-filter-value', 'none']]) })),
    ],
  ),
  amqp(
    'a dead letter that comes back to its queue after a millisecond, 100 times at once',
    () => [
      times(100, publish('', 'loop')),
      // Time passes.
      times(100, Buffer.concat([declareQueue('other'), deleteQueue('other')])),
    ],
    () => [
      declareQueue('loop', {
        arguments: new Map<string, FieldValue>([
          ['x-message-ttl', 1],
          ['x-dead-letter-exchange', ''],
          ['x-dead-letter-routing-key', 'loop'],
        ]),
      }),
    ],
  ),
  amqp('methods without arguments to read, 1 MiB of them', () => [
    times(80_000, methodFrame(1, methods.channel.flow, { active: true })),
  ]),
  amqp('queue.declare, passive, 50,000 times', () => [
    declareQueue('q', { arguments: noArguments }),
    times(50_000, declareQueue('q', { passive: true, noWait: false })),
  ]),
];
