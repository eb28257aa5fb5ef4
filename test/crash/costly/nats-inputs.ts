import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { CostlyInput, Ports } from './input.ts';

const payloadBytesMax = 2 ** 20;

async function streams(
  ports: Ports,
  configs: readonly { readonly name: string; readonly subjects: string[] }[],
  publish?: (at: number) => string,
  count = 0,
): Promise<void> {
  const nc = await connect({ servers: `127.0.0.1:${ports.nats}` });
  try {
    const manager = await jetstreamManager(nc, { timeout: 60_000 });
    for (const config of configs) await manager.streams.add(config);
    for (let at = 0; at < count; at++) nc.publish(publish!(at), 'x');
    await nc.flush();
    if (count > 0) await nc.request(publish!(0), 'last', { timeout: 60_000 });
  } finally {
    await nc.close();
  }
}

/** A publish that asks for an answer. */
function request(subject: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(`PUB ${subject} _INBOX.a ${bytes.length}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}

function api(
  name: string,
  subject: string,
  body: () => string,
  prepare?: CostlyInput['prepare'],
): CostlyInput {
  return {
    name: `NATS ${name}`,
    protocol: 'nats',
    ...(prepare ? { prepare } : {}),
    bytes: () => request(`$JS.API.${subject}`, body()),
    answers: 1,
  };
}

/** As many of these, between two texts, as a payload holds. */
function list(before: string, item: (at: number) => string, after: string): string {
  const items: string[] = [];
  let left = payloadBytesMax - before.length - after.length;
  for (let at = 0; ; at++) {
    const text = item(at);
    left -= text.length + 1;
    if (left < 0) return `${before}${items.join(',')}${after}`;
    items.push(text);
  }
}

function nested(open: string, close: string, around: readonly [string, string]): string {
  const depth = Math.floor((payloadBytesMax - 100) / (open.length + close.length));
  return `${around[0]}${open.repeat(depth)}${close.repeat(depth)}${around[1]}`;
}

const stored = { name: 'S', subjects: ['s.>'], allow_direct: true };
const one = (ports: Ports): Promise<void> => streams(ports, [stored]);
const many =
  (count: number, subject: (at: number) => string) =>
  (ports: Ports): Promise<void> =>
    streams(ports, [stored], subject, count);
const tenThousand = many(10_000, (at) => `s.${at}`);

/** Publishes of a subject, as many as there is room for in `bytes`. */
function flood(one: Buffer, bytes: number, last: Buffer): Buffer {
  const count = Math.floor(bytes / one.length);
  return Buffer.concat([Buffer.alloc(count * one.length, one), last]);
}

function headersOf(line: string): Buffer {
  const count = Math.floor((payloadBytesMax - 100) / line.length);
  const headers = `NATS/1.0\r\n${line.repeat(count)}\r\n`;
  return Buffer.from(`HPUB s.a _INBOX.a ${headers.length} ${headers.length + 1}\r\n${headers}x\r\n`);
}

const lastOf = Buffer.from('PUB _INBOX.a 0\r\n\r\n');
const deep = (tokens: number, token: string): string => Array.from({ length: tokens }, () => token).join('.');

export const natsInputs: readonly CostlyInput[] = [
  {
    name: 'NATS SUB, 504,000 times',
    protocol: 'nats',
    bytes: () => {
      const lines = Array.from({ length: 504_000 }, (_, at) => `SUB s.${at} ${at}\r\n`).join('');
      return Buffer.concat([Buffer.from(lines), lastOf]);
    },
    answers: 1,
  },
  {
    name: 'NATS STREAM.CREATE of 20,000 streams',
    protocol: 'nats',
    bytes: () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, at) =>
          request(`$JS.API.STREAM.CREATE.S${at}`, `{"name":"S${at}","subjects":["s.${at}"]}`),
        ),
      ),
    answers: 20_000,
  },
  {
    name: 'NATS CONNECT with a wrong password, by 1,000 connections at once',
    protocol: 'nats',
    args: ['--nats-user', 'pillarbox', '--nats-password', 'right'],
    greeting: 'CONNECT {"user":"pillarbox","pass":"wrong"}\r\n',
    bytes: () => Buffer.from('PING\r\n'),
    connections: 1000,
    answers: 1,
  },
  api('STREAM.CREATE with 1 MiB of subjects', 'STREAM.CREATE.X', () =>
    list('{"name":"X","subjects":[', (at) => `"a.${at}"`, ']}'),
  ),
  api('STREAM.CREATE with 1 MiB of one subject', 'STREAM.CREATE.X', () =>
    list('{"name":"X","subjects":[', () => '"a"', ']}'),
  ),
  api('STREAM.CREATE with 1 MiB of subjects with wildcards', 'STREAM.CREATE.X', () =>
    list('{"name":"X","subjects":[', (at) => `"a.*.${at}"`, ']}'),
  ),
  api('STREAM.CREATE with 1 MiB of metadata', 'STREAM.CREATE.X', () =>
    list('{"name":"X","subjects":["x"],"metadata":{', (at) => `"${at}":""`, '}}'),
  ),
  api('STREAM.CREATE with 1 MiB of brackets', 'STREAM.CREATE.X', () => nested('[', ']', ['{"name":', '}'])),
  api('STREAM.CREATE with 1 MiB of objects', 'STREAM.CREATE.X', () =>
    nested('{"mirror":', '}', ['{"mirror":', '}']).replace('{"mirror":}', '{"mirror":{}}'),
  ),
  api('STREAM.CREATE with 1 MiB of unknown members', 'STREAM.CREATE.X', () =>
    list('{"name":"X",', (at) => `"${at}":0`, '}'),
  ),
  api('STREAM.CREATE with 1 MiB of sources', 'STREAM.CREATE.X', () =>
    list('{"name":"X","sources":[', () => '{}', ']}'),
  ),
  api(
    'CONSUMER.CREATE with 1 MiB of filters',
    'CONSUMER.CREATE.S.c',
    () =>
      list(
        '{"stream_name":"S","config":{"durable_name":"c","name":"c","ack_policy":"explicit","filter_subjects":[',
        (at) => `"s.${at}"`,
        ']}}',
      ),
    one,
  ),
  api(
    'CONSUMER.CREATE with 1 MiB of filters with wildcards',
    'CONSUMER.CREATE.S.c',
    () =>
      list(
        '{"stream_name":"S","config":{"durable_name":"c","name":"c","ack_policy":"explicit","filter_subjects":[',
        (at) => `"s.*.${at}"`,
        ']}}',
      ),
    one,
  ),
  api(
    'CONSUMER.CREATE with 10,000 filters over 10,000 subjects',
    'CONSUMER.CREATE.S.c',
    () =>
      `{"stream_name":"S","config":{"durable_name":"c","name":"c","ack_policy":"explicit","filter_subjects":[${Array.from({ length: 10_000 }, (_, at) => `"s.${at}"`).join(',')}]}}`,
    tenThousand,
  ),
  api(
    'CONSUMER.CREATE with 1 MiB of backoff',
    'CONSUMER.CREATE.S.c',
    () =>
      list(
        '{"stream_name":"S","config":{"durable_name":"c","name":"c","ack_policy":"explicit","max_deliver":1000000,"backoff":[',
        () => '1',
        ']}}',
      ),
    one,
  ),
  api(
    'CONSUMER.CREATE last_per_subject over 10,000 subjects',
    'CONSUMER.CREATE.S.c',
    () =>
      '{"stream_name":"S","config":{"durable_name":"c","name":"c","ack_policy":"explicit","deliver_policy":"last_per_subject","filter_subject":"s.>"}}',
    tenThousand,
  ),
  api('STREAM.INFO with 10,000 subjects', 'STREAM.INFO.S', () => '{"subjects_filter":">"}', tenThousand),
  {
    name: 'NATS STREAM.INFO with 10,000 subjects, 100 times at once',
    protocol: 'nats',
    prepare: tenThousand,
    bytes: () => {
      const one = request('$JS.API.STREAM.INFO.S', '{"subjects_filter":">"}');
      return Buffer.alloc(one.length * 100, one);
    },
    answers: 100,
  },
  {
    name: 'NATS STREAM.MSG.GET of a subject that is not there, 200 times at once',
    protocol: 'nats',
    prepare: many(50_000, (at) => `s.${at % 100}`),
    bytes: () => {
      const one = request('$JS.API.STREAM.MSG.GET.S', '{"seq":1,"next_by_subj":"s.*.nothing"}');
      return Buffer.alloc(one.length * 200, one);
    },
    answers: 200,
  },
  {
    name: 'NATS DIRECT.GET of 1 MiB of subjects',
    protocol: 'nats',
    prepare: tenThousand,
    bytes: () =>
      request(
        '$JS.API.DIRECT.GET.S',
        list('{"multi_last":[', (at) => `"s.*.${at}"`, ']}'),
      ),
    answers: 1,
  },
  {
    name: 'NATS CONSUMER.MSG.NEXT, 20,000 times at once',
    protocol: 'nats',
    prepare: async (ports) => {
      await one(ports);
      const nc = await connect({ servers: `127.0.0.1:${ports.nats}` });
      await (
        await jetstreamManager(nc)
      ).consumers.add('S', { durable_name: 'c', ack_policy: AckPolicy.Explicit });
      await nc.close();
    },
    bytes: () =>
      flood(request('$JS.API.CONSUMER.MSG.NEXT.S.c', '{"batch":1,"no_wait":true}'), 20_000 * 76, lastOf),
    answers: 20_000,
  },
  {
    name: 'NATS HPUB with 1 MiB of header lines, stored',
    protocol: 'nats',
    prepare: one,
    bytes: () => headersOf('A:\r\n'),
    answers: 1,
  },
  {
    name: 'NATS HPUB with 1 MiB of different header lines, stored',
    protocol: 'nats',
    prepare: one,
    bytes: () => headersOf('A-long-name: and a value\r\n'),
    answers: 1,
  },
  {
    name: 'NATS HPUB with 1 MiB of Nats-Msg-Id, stored',
    protocol: 'nats',
    prepare: one,
    bytes: () => headersOf('Nats-Msg-Id: a\r\n'),
    answers: 1,
  },
  {
    name: 'NATS PUB of subjects of 2,000 tokens, 1 MiB',
    protocol: 'nats',
    prepare: one,
    bytes: () => flood(Buffer.from(`PUB s.${deep(2000, 'a')} 0\r\n\r\n`), payloadBytesMax, lastOf),
    answers: 1,
  },
  {
    name: 'NATS SUB of subjects of 1,900 tokens, 1 MiB',
    protocol: 'nats',
    bytes: () => {
      const lines = Array.from({ length: 270 }, (_, at) => `SUB ${at}.${deep(1900, '*')} ${at}\r\n`);
      return Buffer.concat([Buffer.from(lines.join('')), lastOf]);
    },
    answers: 1,
  },
  {
    name: 'NATS SUB of every mix of * and a in 16 tokens, and publishes',
    protocol: 'nats',
    bytes: () => {
      const lines = Array.from({ length: 2 ** 14 }, (_, at) => {
        const tokens = Array.from({ length: 14 }, (__, bit) => ((at >> bit) & 1 ? '*' : 'a'));
        return `SUB ${tokens.join('.')}.b ${at}\r\n`;
      });
      const subject = deep(14, 'a');
      const publishes = Array.from({ length: 200 }, (_, at) => `PUB ${subject}.${at} 0\r\n\r\n`);
      return Buffer.concat([Buffer.from(lines.join('') + publishes.join('')), lastOf]);
    },
    answers: 1,
  },
  {
    name: 'NATS SUB and UNSUB of one subject, 100,000 times',
    protocol: 'nats',
    bytes: () => flood(Buffer.from('SUB a.b.c 1\r\nUNSUB 1\r\n'), 2_300_000, lastOf),
    answers: 1,
  },
  {
    name: 'NATS CONNECT, 1 MiB of them',
    protocol: 'nats',
    bytes: () =>
      flood(
        Buffer.from(`CONNECT {"verbose":false,"x":${'['.repeat(1900)}${']'.repeat(1900)}}\r\n`),
        payloadBytesMax,
        lastOf,
      ),
    answers: 1,
  },
  {
    name: 'NATS PING, 1 MiB of them',
    protocol: 'nats',
    bytes: () => flood(Buffer.from('PING\r\n'), payloadBytesMax, lastOf),
    answers: 1,
  },
];
