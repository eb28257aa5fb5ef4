import type { Random } from '../../src/util/index.ts';
import type { ApiName, RequestDraft } from '../../src/wire/kafka/index.ts';
import { batchOf, fetchRequest, produceRequest, requestBytes } from '../protocols/kafka/kit.ts';
import { amqpAttacks } from './amqp-attacks.ts';
import { sqsAttacks } from './sqs-attacks.ts';
import { type Attack, type Target, elsewhere, stormToken } from './attack.ts';

const connectLine = `CONNECT {"verbose":false,"pedantic":false,"protocol":1,"headers":true,"auth_token":"${stormToken}"}\r\n`;

const nats = ({ natsPort }: Target): number => natsPort;
const admin = ({ adminPort }: Target): number => adminPort;
const kafka = ({ kafkaPort }: Target): number | undefined => kafkaPort;

const session = [
  connectLine,
  'PING\r\n',
  'SUB storm.> 1\r\n',
  'PUB storm.a reply.b 11\r\nhello world\r\n',
  'HPUB storm.b 23 28\r\nNATS/1.0\r\nName: Value\r\n\r\nhello\r\n',
  'UNSUB 1 5\r\n',
  'PUB $JS.API.STREAM.CREATE.X r.x 27\r\n{"name":"X","subjects":["x"]\r\n',
  'PUB $JS.API.CONSUMER.MSG.NEXT.S.c r.y 14\r\n{"batch":1e99}\r\n\r\n',
].join('');

/** A session with some of its bytes changed, and perhaps a length that is a lie. */
function mutated(random: Random): Buffer {
  const bytes = Buffer.from(session);
  for (let count = 1 + random.int(8); count > 0; count--) bytes[random.int(bytes.length)] = random.int(256);
  const text = bytes.toString('latin1');
  const lengths = ['-1', '0', '99999999999', '2147483648', '18446744073709551616', '1e9'];
  return Buffer.from(
    random.int(3) === 0 ? text.replace(/ \d+\r\n/, ` ${lengths[random.int(lengths.length)]}\r\n`) : text,
    'latin1',
  );
}

function publishes(subject: string, payloadBytes: number, count: number, reply: string = ''): Buffer {
  const one = `PUB ${subject} ${reply}${reply === '' ? '' : ' '}${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
  return Buffer.from(one.repeat(count));
}

function kafkaRequests<N extends ApiName>(
  count: number,
  name: N,
  version: number,
  request: RequestDraft<N>,
): Buffer {
  const one = Buffer.concat(requestBytes(name, version, request));
  return Buffer.alloc(one.length * count, one);
}

/** The subject that a stream of the storm captures. */
export const stormSubject = 'flood.stored';

export const attacks: readonly Attack[] = [
  {
    name: 'random bytes',
    connections: 8,
    port: nats,
    begin: (line, random) => {
      line.send(Buffer.from(random.bytes(1 + random.int(5000))));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'mutated sessions',
    connections: 16,
    port: nats,
    from: elsewhere,
    begin: (line, random) => {
      line.send(mutated(random));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'lines without an end',
    connections: 4,
    port: nats,
    begin: (line) => line.flood(() => Buffer.alloc(16_384, 'A')),
  },
  { name: 'half-open, silent', connections: 100, port: nats, begin: () => {} },
  {
    name: 'logged in, idle',
    connections: 300,
    port: nats,
    begin: (line) => void line.send(connectLine),
  },
  {
    name: 'wrong passwords',
    connections: 64,
    port: nats,
    from: elsewhere,
    begin: (line, random) =>
      void line.send(`CONNECT {"verbose":false,"auth_token":"${random.int(1e9)}"}\r\nPING\r\n`),
  },
  {
    name: 'half-open, half a CONNECT',
    connections: 50,
    port: nats,
    begin: (line) => void line.send('CONNECT {"verb'),
  },
  {
    name: 'a byte a second',
    connections: 50,
    port: nats,
    begin: (line) => line.drip(Buffer.from(session), 1, 1000),
  },
  {
    name: 'half a payload',
    connections: 20,
    port: nats,
    begin: (line) => void line.send(`${connectLine}PUB storm.x 1000000\r\n${'x'.repeat(500_000)}`),
  },
  {
    name: 'flood of live messages',
    connections: 2,
    port: nats,
    begin: (line) => {
      const chunk = publishes('flood.live', 256, 200);
      line.send(connectLine);
      line.flood(() => chunk);
    },
  },
  {
    name: 'flood of stored messages',
    connections: 2,
    port: nats,
    begin: (line) => {
      const chunk = publishes(stormSubject, 512, 100, 'nobody.here');
      line.send(connectLine);
      line.flood(() => chunk);
    },
  },
  {
    name: 'subscribers that never read',
    connections: 4,
    port: nats,
    begin: (line) => {
      line.send(`${connectLine}SUB flood.> 1\r\n`);
      line.deaf();
    },
  },
  {
    name: 'flood of API requests, answers unread',
    connections: 2,
    port: nats,
    begin: (line) => {
      const requests = Buffer.from('PUB $JS.API.STREAM.NAMES _INBOX.x.1 0\r\n\r\n'.repeat(50));
      line.send(`${connectLine}SUB _INBOX.x.* 1\r\n`);
      line.deaf();
      line.flood(() => requests);
    },
  },
  {
    name: 'thousands of subscriptions',
    connections: 2,
    port: nats,
    begin: (line) => {
      line.send(connectLine);
      let lines = '';
      for (let i = 0; i < 20_000; i++) lines += `SUB many.${i}.*.> ${i}\r\n`;
      line.send(lines);
      line.closeAfter(3000);
    },
  },
  {
    name: 'connect and leave',
    connections: 8,
    port: nats,
    begin: (line) => {
      line.send(`${connectLine}PING\r\n`);
      line.closeAfter(5);
    },
  },
  {
    name: 'admin: nonsense',
    connections: 4,
    port: admin,
    begin: (line, random) => {
      line.send('GET /api/v1/topics HTTP/1.1\r\n');
      line.send(Buffer.from(random.bytes(500)));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'admin: wrong tokens',
    connections: 16,
    port: admin,
    from: elsewhere,
    begin: (line, random) =>
      void line.send(
        `GET /api/v1/topics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${random.int(1e9)}\r\nConnection: close\r\n\r\n`,
      ),
  },
  {
    name: 'admin: a byte a second',
    connections: 20,
    port: admin,
    begin: (line) =>
      line.drip(Buffer.from('POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n'), 1, 1000),
  },
  {
    name: 'Kafka: random frames',
    connections: 8,
    port: kafka,
    begin: (line, random) => {
      const frame = Buffer.from(random.bytes(4 + random.int(500)));
      frame.writeUInt32BE([frame.length - 4, 0x7fff_ffff, 0x8000_0000, 8][random.int(4)]!, 0);
      if (frame.length > 8) frame.writeUInt32BE((random.int(70) << 16) | random.int(12), 4);
      line.send(frame);
      line.closeAfter(random.int(500));
    },
  },
  { name: 'Kafka: silent', connections: 200, port: kafka, begin: () => {} },
  {
    name: 'Kafka: half a frame',
    connections: 20,
    port: kafka,
    begin: (line) =>
      void line.send(Buffer.concat([Buffer.from([0x03, 0xff, 0xff, 0xff]), Buffer.alloc(500_000)])),
  },
  {
    name: 'Kafka: flood of metadata requests',
    connections: 2,
    port: kafka,
    begin: (line) => {
      const requests = kafkaRequests(100, 'Metadata', 5, {
        topics: Array.from({ length: 50 }, (_, at) => ({ name: `not-there-${at}` })),
        allowAutoTopicCreation: false,
      });
      line.flood(() => requests);
    },
  },
  {
    name: 'Kafka: flood of records',
    connections: 2,
    port: kafka,
    begin: (line) => {
      const requests = kafkaRequests(
        20,
        'Produce',
        9,
        produceRequest('kafka-flood', batchOf(['x'.repeat(2000)])),
      );
      line.flood(() => requests);
    },
  },
  {
    name: 'Kafka: fetches, answers unread',
    connections: 30,
    port: kafka,
    begin: (line) => {
      line.deaf();
      line.send(
        kafkaRequests(50, 'Fetch', 11, fetchRequest('kafka-unread', 0, { maxWaitMs: 0, maxBytes: 2 ** 30 })),
      );
      line.closeAfter(5000);
    },
  },
  {
    name: 'Kafka: connect and leave',
    connections: 8,
    port: kafka,
    begin: (line) => {
      line.send(kafkaRequests(1, 'Metadata', 5, { topics: [] }));
      line.closeAfter(5);
    },
  },
  {
    name: 'Kafka: a byte a second',
    connections: 20,
    port: kafka,
    begin: (line) => line.drip(Buffer.from([0, 0, 0, 100, 0, 18, 0, 3, 0, 0, 0, 1]), 1, 1000),
  },
  ...amqpAttacks,
  ...sqsAttacks,
];
