import type { Random } from '../../src/util/index.ts';
import type { FieldTable } from '../../src/wire/amqp/index.ts';
import { floodedQueue, unreadQueue } from './amqp-canary.ts';
import { type Attack, type Target, elsewhere, stormToken } from './attack.ts';
import {
  bindQueue,
  closeChannel,
  consume,
  declareQueue,
  each,
  openChannel,
  opening,
  publish,
  times,
} from './costly/amqp-frames.ts';

const port = ({ amqpPort }: Target): number | undefined => amqpPort;
const admin = ({ amqpAdminPort }: Target): number | undefined => amqpAdminPort;
const login = { user: stormToken, password: stormToken } as const;
const greeting = opening(login);
const exclusive = declareQueue('', { exclusive: true, durable: false });

const frame = (type: number, channel: number, payload: Buffer, length = payload.length): Buffer => {
  const head = Buffer.from([type, channel >> 8, channel & 255, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
};

/** A content header of class basic, without properties. */
const header = (bodyBytes: number): Buffer => {
  const payload = Buffer.alloc(14);
  payload.writeUInt16BE(60, 0);
  payload.writeBigUInt64BE(BigInt(bodyBytes), 4);
  return frame(2, 1, payload);
};

const body = (bytes: number): Buffer => frame(3, 1, Buffer.alloc(bytes));
/** A publish without its content. */
const bare = publish('', floodedQueue).subarray(0, -header(0).length);
const message = publish('', floodedQueue, {}, Buffer.alloc(500));

const session = Buffer.concat([
  greeting,
  exclusive,
  bindQueue('', 'amq.topic', 'a.#'),
  message,
  consume('', 'c'),
  closeChannel,
]);

/** A session with some of its bytes changed, cut anywhere. */
function mutated(random: Random): Buffer {
  const bytes = Buffer.from(session);
  for (let count = random.int(6); count > 0; count--) bytes[random.int(bytes.length)] = random.int(256);
  return bytes.subarray(0, 1 + random.int(bytes.length));
}

const outOfOrder: readonly (readonly Buffer[])[] = [
  [body(10)],
  [header(10)],
  [bare, body(10)],
  [bare, bare],
  [bare, header(10), header(10)],
  [bare, header(10), exclusive],
  [openChannel(1)],
  [closeChannel, message],
  [frame(1, 9, Buffer.from([0, 60, 0, 40, 0, 0, 0, 0, 0]))],
  [frame(8, 3, Buffer.alloc(0))],
  [frame(7, 1, Buffer.alloc(3))],
];

function nested(levels: number): FieldTable {
  let table: FieldTable = new Map();
  for (let level = 0; level < levels; level++) table = new Map([['t', table]]);
  return table;
}

const basic = `Authorization: Basic ${Buffer.from(`${stormToken}:${stormToken}`).toString('base64')}\r\n`;

/** The attacks on AMQP and on its management API. */
export const amqpAttacks: readonly Attack[] = [
  {
    name: 'AMQP: random bytes',
    connections: 8,
    port,
    begin: (line, random) => {
      line.send(greeting);
      line.send(Buffer.from(random.bytes(1 + random.int(5000))));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'AMQP: mutated sessions',
    connections: 16,
    port,
    from: elsewhere,
    begin: (line, random) => {
      line.send(mutated(random));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'AMQP: half a frame of 2 GiB',
    connections: 4,
    port,
    begin: (line) => {
      line.send(greeting);
      line.send(frame(1, 1, Buffer.alloc(100_000), 0x7fff_ffff));
      line.flood(() => Buffer.alloc(16_384));
    },
  },
  {
    name: 'AMQP: frames out of order',
    connections: 8,
    port,
    begin: (line, random) => {
      line.send(greeting);
      for (const bytes of outOfOrder[random.int(outOfOrder.length)]!) line.send(bytes);
      line.closeAfter(300);
    },
  },
  {
    name: 'AMQP: bodies longer and shorter than their header',
    connections: 8,
    port,
    begin: (line, random) => {
      line.send(Buffer.concat([greeting, bare, header([10, 1000, 2 ** 40][random.int(3)]!), body(500)]));
      line.closeAfter(500);
    },
  },
  {
    name: 'AMQP: tables of a hundred levels',
    connections: 4,
    port,
    begin: (line) => {
      line.send(greeting);
      line.send(declareQueue('', { exclusive: true, arguments: nested(100) }));
    },
  },
  {
    name: 'AMQP: wrong passwords',
    connections: 64,
    port,
    from: elsewhere,
    begin: (line, random) => void line.send(opening({ user: stormToken, password: String(random.int(1e9)) })),
  },
  {
    name: 'AMQP: no such virtual host',
    connections: 8,
    port,
    begin: (line) => void line.send(opening({ ...login, virtualHost: 'nowhere' })),
  },
  { name: 'AMQP: silent', connections: 100, port, begin: () => {} },
  {
    name: 'AMQP: no heartbeats',
    connections: 50,
    port,
    begin: (line) => void line.send(opening({ ...login, heartbeat: 1 })),
  },
  {
    name: 'AMQP: a byte a second',
    connections: 20,
    port,
    begin: (line) => line.drip(session, 1, 1000),
  },
  {
    name: 'AMQP: connect and leave',
    connections: 8,
    port,
    begin: (line) => {
      line.send(greeting);
      line.closeAfter(5);
    },
  },
  {
    name: 'AMQP: 65,535 channels',
    connections: 2,
    port,
    begin: (line) => {
      line.send(greeting);
      line.send(each(65_534, (at) => openChannel(at + 2)));
      line.closeAfter(2000);
    },
  },
  {
    name: 'AMQP: consumers that never ack',
    connections: 2,
    port,
    begin: (line) => {
      line.send(Buffer.concat([greeting, consume(unreadQueue, 'c')]));
      line.closeAfter(3000);
    },
  },
  {
    name: 'AMQP: consumers that never read',
    connections: 2,
    port,
    begin: (line) => {
      line.deaf();
      line.send(Buffer.concat([greeting, consume(floodedQueue, 'c', { noAck: true })]));
      line.closeAfter(3000);
    },
  },
  {
    name: 'AMQP: flood of publishes',
    connections: 2,
    port,
    begin: (line) => {
      const messages = times(100, message);
      line.send(greeting);
      line.flood(() => messages);
    },
  },
  {
    name: 'AMQP: thousands of queues',
    connections: 1,
    port,
    begin: (line) => {
      line.send(greeting);
      line.send(times(2000, exclusive));
      line.closeAfter(3000);
    },
  },
  {
    name: 'AMQP: thousands of bindings',
    connections: 1,
    port,
    begin: (line) => {
      line.send(Buffer.concat([greeting, exclusive]));
      line.send(each(3000, (at) => bindQueue('', 'amq.topic', `${at}.#.a.*.#.b.#`)));
      line.send(publish('amq.topic', '1.a.a.b.b'));
      line.closeAfter(3000);
    },
  },
  {
    name: 'AMQP: publishes with thousands of copies',
    connections: 1,
    port,
    begin: (line) => {
      const keys = Array.from({ length: 8000 }, (_, at) => `a.${at}`);
      line.send(greeting);
      line.send(times(5, publish('amq.topic', 'a', { headers: new Map([['CC', keys]]) })));
      line.closeAfter(1000);
    },
  },
  {
    name: 'AMQP management: nonsense',
    connections: 4,
    port: admin,
    begin: (line, random) => {
      line.send(`GET /api/queues HTTP/1.1\r\n${basic}`);
      line.send(Buffer.from(random.bytes(500)));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'AMQP management: wrong passwords',
    connections: 16,
    port: admin,
    from: elsewhere,
    begin: (line, random) => {
      const password = Buffer.from(`storm:${random.int(1e9)}`).toString('base64');
      line.send(
        `GET /api/overview HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${password}\r\nConnection: close\r\n\r\n`,
      );
    },
  },
  {
    name: 'AMQP management: lists, unread',
    connections: 4,
    port: admin,
    begin: (line) => {
      line.deaf();
      line.send(
        `GET /api/queues?name=(a*)*b&use_regex=true&page=1 HTTP/1.1\r\nHost: localhost\r\n${basic}\r\n`.repeat(
          50,
        ),
      );
      line.closeAfter(2000);
    },
  },
  {
    name: 'AMQP management: half a body of 20 MiB',
    connections: 8,
    port: admin,
    begin: (line) => {
      line.send(
        `POST /api/definitions HTTP/1.1\r\nHost: localhost\r\n${basic}Content-Length: 20971520\r\n\r\n{"queues":[`,
      );
      line.send('{"name":"x"},'.repeat(20_000));
      line.closeAfter(5000);
    },
  },
];
