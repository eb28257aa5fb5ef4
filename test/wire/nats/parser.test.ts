import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { FrameWriter, Parser, type ClientVerb, type Frame } from '../../../src/wire/nats/index.ts';
import {
  clientHandlers,
  fromClient,
  fromServer,
  limits,
  oneByOne,
  read,
  serverHandlers,
} from './transcript.ts';

describe('verbs of a client', () => {
  it('is read verb by verb', () => {
    assert.deepEqual(fromClient('CONNECT {"verbose":false}\r\nPING\r\nPONG\r\nINFO {}\r\n+OK\r\n'), [
      'CONNECT {"verbose":false}',
      'PING',
      'PONG',
      'INFO {}',
      '+OK',
    ]);
    assert.deepEqual(fromClient("-ERR 'x y'\r\n"), ["-ERR 'x y'"]);
    assert.deepEqual(fromClient('PUB a 2\r\nhi\r\nPUB a.b r.1 0\r\n\r\n'), [
      'PUB a reply=- header=0 "hi"',
      'PUB a.b reply=r.1 header=0 ""',
    ]);
    assert.deepEqual(
      fromClient('HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n'),
      [
        'HPUB a reply=- header=12 "NATS/1.0\\r\\n\\r\\nhi"',
        'HPUB a reply=r header=12 "NATS/1.0\\r\\n\\r\\n"',
      ],
    );
    assert.deepEqual(fromClient('SUB a 1\r\nSUB a.> q 2\r\nUNSUB 1\r\nUNSUB 2 5\r\n'), [
      'SUB a queue=- sid=1',
      'SUB a.> queue=q sid=2',
      'UNSUB 1 max=0',
      'UNSUB 2 max=5',
    ]);
  });

  it('may be in either case, with blanks of any kind, and with LF alone after a control line', () => {
    assert.deepEqual(fromClient('pub \t a\t 2 \r\nhi\r\nSuB  a   1\npInG\nPub a 0002\nhi\r\n'), [
      'PUB a reply=- header=0 "hi"',
      'SUB a queue=- sid=1',
      'PING',
      'PUB a reply=- header=0 "hi"',
    ]);
  });

  it('may have anything behind PING and PONG, and no blank behind CONNECT and INFO', () => {
    assert.deepEqual(fromClient('PINGx\r\nPONG what ever\r\nCONNECT{}\r\nINFO\r\n'), [
      'PING',
      'PONG',
      'CONNECT {}',
      'INFO ',
    ]);
  });

  it('may have line ends and verbs in its payloads', () => {
    assert.deepEqual(fromClient('PUB a 12\r\nPING\r\nPUB b\r\r\nPING\r\n'), [
      'PUB a reply=- header=0 "PING\\r\\nPUB b\\r"',
      'PING',
    ]);
  });

  it('is told apart from the same line with another end', () => {
    const subjects = ['aa', 'ab', 'aa', 'ba', 'aa'];
    const said = subjects.map((subject) => `PUB ${subject} 2\r\nhi\r\n`).join('');
    assert.deepEqual(fromClient(`${said}PUB aa 3\r\nhey\r\nPING\r\nPUB aa 3\r\nhey\r\n`), [
      ...subjects.map((subject) => `PUB ${subject} reply=- header=0 "hi"`),
      ...['"hey"', '', '"hey"'].map((end) => (end ? `PUB aa reply=- header=0 ${end}` : 'PING')),
    ]);
  });
});

describe('verbs of a server', () => {
  it('is read verb by verb', () => {
    assert.deepEqual(fromServer('INFO {"server_id":"x"}\r\nMSG a 1 2\r\nhi\r\nMSG a 1 r 0\r\n\r\n'), [
      'INFO {"server_id":"x"}',
      'MSG 1 a reply=- header=0 "hi"',
      'MSG 1 a reply=r header=0 ""',
    ]);
    assert.deepEqual(
      fromServer(
        "HMSG a 9 r 16 18\r\nNATS/1.0 503\r\n\r\nhi\r\n+OK\r\n-ERR 'Stale Connection'\r\nPING\r\nPONG\r\n",
      ),
      [
        'HMSG 9 a reply=r header=16 "NATS/1.0 503\\r\\n\\r\\nhi"',
        '+OK',
        "-ERR 'Stale Connection'",
        'PING',
        'PONG',
      ],
    );
  });
});

describe('a large frame', () => {
  it('is the same whether its rest is read into its own room or comes in chunks', () => {
    const payload = (length: number): string => `PUB a ${length}\r\n${'x'.repeat(length)}\r\n`;
    const property = fc.property(
      fc.array(fc.constantFrom(0, 10, 20_000, 40_000, 100_000), { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
      (lengths, cuts) => {
        const said = Buffer.from(`${lengths.map(payload).join('PING\r\n')}PONG\r\n`, 'latin1');
        const transcript: string[] = [];
        const parser = new Parser<ClientVerb, string[]>(clientHandlers, transcript, limits);
        let rooms = 0;
        for (let at = 0, cut = 0; at < said.length; cut++) {
          const room = parser.room();
          const bytes = Math.min(cuts[cut % cuts.length]!, room?.length ?? Infinity, said.length - at);
          if (room) {
            said.copy(room, 0, at, at + bytes);
            parser.filled(bytes);
            rooms++;
          } else parser.parse(Buffer.from(said.subarray(at, at + bytes)));
          at += bytes;
        }
        assert.deepEqual(transcript, fromClient(said.toString('latin1')));
        return lengths.every((length) => length < 70_000) || cuts.some((cut) => cut > 60_000) || rooms > 0;
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  it('whose payload does not end where it should is refused in its own room, too', () => {
    const parser = new Parser<ClientVerb, string[]>(clientHandlers, [], limits);
    parser.parse(Buffer.from(`PUB a 100000\r\n${'x'.repeat(50_000)}`, 'latin1'));
    const room = parser.room()!;
    room.fill('x');
    assert.throws(() => parser.filled(room.length), { code: 'unknown-operation' });
  });
});

describe('invalid verbs', () => {
  const refused: [said: string, code: string][] = [
    ['\r\n', 'unknown-operation'],
    ['GET / HTTP/1.1\r\n', 'unknown-operation'],
    ['PUT a 1\r\n', 'unknown-operation'],
    ['PU\r\n', 'unknown-operation'],
    ['PUBLISH a 1\r\n', 'unknown-operation'],
    ['PUB\r\n', 'unknown-operation'],
    ['SUB\r\n', 'unknown-operation'],
    ['UNSUB\r\n', 'unknown-operation'],
    ['-ERR\r\n', 'unknown-operation'],
    ['MSG a 1 0\r\n', 'unknown-operation'],
    ['HMSG a 1 0 0\r\n', 'unknown-operation'],
    ['\0', 'unknown-operation'],
    ['PUB a 2\r\nhix\r\n', 'unknown-operation'],
    ['PUB a 2\r\nh\r\n..', 'unknown-operation'],
    ['PUB a 2\r\nhi\n', 'unknown-operation'],
    ['PUB a 2\r\nhi\rx', 'unknown-operation'],
    ['PUB a\r\n', 'bad-arguments'],
    ['PUB a x\r\n', 'bad-arguments'],
    ['PUB a -1\r\n', 'bad-arguments'],
    ['PUB a b c 2\r\n', 'bad-arguments'],
    ['PUB a 12345678901234567890\r\n', 'bad-arguments'],
    ['PUB a 1000000000\r\n', 'bad-arguments'],
    ['PUB a \r2\r\nhi\r\n', 'bad-arguments'],
    ['HPUB a 12\r\n', 'bad-arguments'],
    ['HPUB a b c 1 2\r\n', 'bad-arguments'],
    ['HPUB a 12 11\r\n', 'bad-arguments'],
    ['HPUB a -1 12\r\n', 'bad-arguments'],
    ['SUB a\r\n', 'bad-arguments'],
    ['SUB a b c d\r\n', 'bad-arguments'],
    ['UNSUB 1 1 1\r\n', 'bad-arguments'],
    ['UNSUB  \r\n', 'bad-arguments'],
    ['PUB a 1048577\r\n', 'payload-exceeded'],
    ['HPUB a 12 1048577\r\n', 'payload-exceeded'],
    ['PUB a 100000000\r\n', 'payload-exceeded'],
    [`SUB ${'a'.repeat(4096)} 1\r\n`, 'control-line-exceeded'],
    [`CONNECT ${'{'.repeat(4096)}\r\n`, 'control-line-exceeded'],
    [`PING${' '.repeat(5000)}\r\n`, 'control-line-exceeded'],
    [`PUB ${'a'.repeat(5000)}`, 'control-line-exceeded'],
  ];
  for (const [said, code] of refused) {
    it(`is refused as ${code}: ${JSON.stringify(said.slice(0, 30))}, wherever it is cut`, () => {
      const bytes = Buffer.from(said, 'latin1');
      assert.deepEqual(read(clientHandlers, [bytes]), [`error ${code}`]);
      assert.deepEqual(read(clientHandlers, oneByOne(bytes)), [`error ${code}`]);
      assert.deepEqual(fromClient('PING\r\n', said), ['PING', `error ${code}`]);
    });
  }

  it('is a verb of the other side', () => {
    for (const verb of [
      'PUB a 0\r\n\r\n',
      'HPUB a 0 0\r\n\r\n',
      'SUB a 1\r\n',
      'UNSUB 1\r\n',
      'CONNECT {}\r\n',
    ]) {
      assert.deepEqual(read(serverHandlers, [Buffer.from(verb)]), ['error unknown-operation'], verb);
    }
  });

  it('is refused as soon as it can be seen', () => {
    assert.deepEqual(fromClient('X'), ['error unknown-operation']);
    assert.deepEqual(fromClient('PUX'), ['error unknown-operation']);
    assert.deepEqual(fromClient('P', 'U', 'B', 'x'), ['error unknown-operation']);
    assert.deepEqual(fromClient('PUB a 2\r\n', 'hi', 'x'), ['error unknown-operation']);
    assert.deepEqual(fromClient(`PUB ${'a'.repeat(4095)}`, 'a', 'a'), ['error control-line-exceeded']);
  });
});

describe('a control line', () => {
  it('has arguments up to the limit, line end not counted', () => {
    const longest = 'a'.repeat(4094);
    assert.deepEqual(fromClient(`SUB ${longest} 1\r\n`), [`SUB ${longest} queue=- sid=1`]);
    assert.deepEqual(fromClient(`SUB ${longest} 1\n`), [`SUB ${longest} queue=- sid=1`]);
    assert.deepEqual(fromClient(`SUB ${longest} 12\r\n`), ['error control-line-exceeded']);
    assert.deepEqual(fromClient(`SUB ${longest}`, ' 1', '\r', '\n'), [`SUB ${longest} queue=- sid=1`]);
  });
});

describe('memory for an unfinished frame', () => {
  it('grows with the bytes that came, not with the size announced', () => {
    const transcript: string[] = [];
    const parser = new Parser(clientHandlers, transcript, limits);
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 200 }, () => {
      const parser = new Parser(clientHandlers, transcript, limits);
      parser.parse(Buffer.from('PUB a 1000000\r\nonly this'));
      return parser;
    });
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 200 * 8192, `${grown} bytes for 200 announcements`);
    assert.equal(parsers[0]!.unfinishedBytes, 24);
    parser.parse(Buffer.from('PING\r\nPUB a 10\r\nabc'));
    assert.equal(parser.unfinishedBytes, 13);
    parser.parse(Buffer.from('defghij\r\n'));
    assert.equal(parser.unfinishedBytes, 0);
    assert.deepEqual(transcript, ['PING', 'PUB a reply=- header=0 "abcdefghij"']);
  });

  it('holds a large payload that comes in pieces', () => {
    const payload = Buffer.alloc(1_000_000, 'x');
    let got = 0;
    const parser = new Parser(
      { ...clientHandlers, PUB: (_: string[], frame: Frame) => void (got = frame.value().compare(payload)) },
      [],
      limits,
    );
    got = -2;
    parser.parse(Buffer.from(`PUB a ${payload.length}\r\n`));
    for (let at = 0; at < payload.length; at += 65_536) parser.parse(payload.subarray(at, at + 65_536));
    parser.parse(Buffer.from('\r'));
    assert.equal(got, -2);
    parser.parse(Buffer.from('\n'));
    assert.equal(got, 0);
    assert.equal(parser.unfinishedBytes, 0);
  });
});

describe('a stopped parser', () => {
  it('calls no handler any more, also for the rest of the chunk', () => {
    const transcript: string[] = [];
    const parser: Parser<'PING' | 'PONG', undefined> = new Parser<'PING' | 'PONG', undefined>(
      {
        PING: () => {
          transcript.push('PING');
          parser.stop();
        },
        PONG: () => transcript.push('PONG'),
      },
      undefined,
      limits,
    );
    parser.parse(Buffer.from('PING\r\nPONG\r\nPO'));
    parser.parse(Buffer.from('NG\r\n'));
    assert.deepEqual(transcript, ['PING']);
  });
});

describe('where chunks are cut', () => {
  const word = fc.constantFrom('a', 'orders.eu', '_INBOX.x.1', 'größe', 'x'.repeat(60));
  const body = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('', '\r\n', 'PING\r\n', 'x'.repeat(3000)),
  );
  const header = fc.record({
    name: fc.constantFrom('A', 'Nats-Msg-Id', 'b'),
    value: body.map((text) => Buffer.from(text.replaceAll(/[\r\n]/g, ' ').trim())),
  });
  const message = fc.record({
    subject: word,
    reply: fc.option(word, { nil: undefined }),
    headers: fc.option(fc.array(header, { maxLength: 3 }), { nil: undefined }),
    value: body,
  });
  const said = fc.oneof(
    message.map((parts) => new FrameWriter().publish(parts).take()),
    message.map((parts) =>
      Buffer.concat([new FrameWriter().publish(parts).take(), new FrameWriter().publish(parts).take()]),
    ),
    fc
      .tuple(word, fc.option(word, { nil: undefined }))
      .map(([subject, queue]) => new FrameWriter().subscribe(subject, '7', queue).take()),
    fc.nat(9).map((max) => new FrameWriter().unsubscribe('7', max).take()),
    fc.constant(new FrameWriter().connect({ verbose: false, name: 'x' }).take()),
    fc.constant(new FrameWriter().ping().take()),
    fc.constant(Buffer.from('pong  \n')),
  );

  it('makes no difference: every single cut', () => {
    const bytes = new FrameWriter()
      .connect({ name: 'größe' })
      .subscribe('a.*', '1', 'q')
      .publish({ subject: 'a.b', value: 'hello' })
      .publish({ subject: 'a.b', value: 'hello' })
      .publish({
        subject: 'a.b',
        reply: 'r',
        headers: [{ name: 'A', value: Buffer.from('1') }],
        value: 'PING\r\n',
      })
      .ping()
      .unsubscribe('1')
      .take();
    const whole = read(clientHandlers, [bytes]);
    assert.equal(whole.length, 7);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(
        read(clientHandlers, [bytes.subarray(0, cut), bytes.subarray(cut)]),
        whole,
        `cut at ${cut}`,
      );
    }
    assert.deepEqual(read(clientHandlers, oneByOne(bytes)), whole);
  });

  it('makes no difference: any frames, any cuts', () => {
    fc.assert(
      fc.property(
        fc.array(said, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames);
          const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
          const chunks: Buffer[] = [];
          let from = 0;
          for (const to of [...places, bytes.length]) {
            chunks.push(bytes.subarray(from, to));
            from = to;
          }
          const whole = read(clientHandlers, [bytes]);
          assert.ok(!whole.some((line) => line.startsWith('error')), whole.at(-1));
          assert.deepEqual(read(clientHandlers, chunks), whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('makes no difference: bytes that are no frames', () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc
        .stringMatching(/^(PUB|HPUB|SUB|UNSUB|PING|CONNECT|MSG) [a1 .>\r\n-]{0,12}\r\n$/)
        .map((text) => Buffer.from(text)),
      said,
    );
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 6 }), fc.nat(), (parts, cut) => {
        const bytes = Buffer.concat(parts);
        const at = cut % (bytes.length + 1);
        const whole = read(clientHandlers, [bytes]);
        assert.ok(!whole.includes('error undefined'), 'an error that is none of the protocol');
        assert.deepEqual(read(clientHandlers, [bytes.subarray(0, at), bytes.subarray(at)]), whole);
        assert.deepEqual(read(clientHandlers, oneByOne(bytes)), whole);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('writer and parser', () => {
  const text = fc.string({ maxLength: 30 });
  const name = fc.stringMatching(/^[!-9;-~]{1,10}$/);
  const value = fc.stringMatching(/^[!-~]{0,12}$/).map((text) => Buffer.from(text));
  const parts = fc.record({
    subject: fc.constantFrom('a', 'a.b', 'größe.x'),
    reply: fc.option(fc.constantFrom('r', '_INBOX.a.b'), { nil: undefined }),
    headers: fc.option(fc.array(fc.record({ name, value }), { maxLength: 4 }), { nil: undefined }),
    value: text,
  });

  it('undo each other for messages of either side', () => {
    fc.assert(
      fc.property(parts, (parts) => {
        for (const side of ['client', 'server'] as const) {
          const seen: object[] = [];
          const note = (_: unknown, frame: Frame): void => {
            seen.push({
              subject: frame.subject(),
              reply: frame.reply(),
              headers: frame.headerBytes > 0,
              value: frame.value().toString('utf8'),
            });
          };
          const bytes =
            side === 'client'
              ? new FrameWriter().publish(parts).take()
              : new FrameWriter().message('5', parts).take();
          const parser =
            side === 'client'
              ? new Parser({ ...clientHandlers, PUB: note, HPUB: note }, [], limits)
              : new Parser({ ...serverHandlers, MSG: note, HMSG: note }, [], limits);
          parser.parse(bytes);
          assert.deepEqual(seen, [
            {
              subject: parts.subject,
              reply: parts.reply,
              headers: parts.headers !== undefined,
              value: parts.value,
            },
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('pause after the frame at hand, and go on with the rest, wherever chunks are cut', () => {
    const said = 'CONNECT {"a":1}\r\nPUB a 2\r\nhi\r\nPING\r\nPUB b 0\r\n\r\n';
    for (let cut = 0; cut <= said.length; cut++) {
      const heard: string[] = [];
      const parser: Parser<ClientVerb, never[]> = new Parser(
        {
          ...clientHandlers,
          CONNECT: () => {
            heard.push('CONNECT');
            parser.pause();
          },
          PUB: (_: unknown, frame: Frame) => void heard.push(`PUB ${frame.subject()}`),
          PING: () => {
            heard.push('PING');
            parser.pause();
          },
        },
        [],
        limits,
      );
      let waiting = Buffer.alloc(0);
      for (const piece of [said.slice(0, cut), said.slice(cut)]) {
        waiting = Buffer.concat([waiting, Buffer.from(piece)]);
        const before = heard.length;
        waiting = waiting.subarray(parser.parse(waiting));
        const pausing = heard.slice(before).filter((verb) => !verb.startsWith('PUB'));
        assert.ok(pausing.length <= 1, `cut at ${cut}`);
      }
      for (let rounds = 0; rounds < 3; rounds++) {
        parser.resume();
        waiting = waiting.subarray(parser.parse(waiting));
      }
      assert.deepEqual(heard, ['CONNECT', 'PUB a', 'PING', 'PUB b'], `cut at ${cut}`);
      assert.equal(waiting.length, 0);
    }
  });

  it('mark the common part of PUB and MSG only if it can be copied unchanged', () => {
    const common = (said: string): string | undefined => {
      let found: string | undefined;
      const note = (_: unknown, frame: Frame): void => {
        found =
          frame.commonStart < 0
            ? undefined
            : frame.buffer.toString('latin1', frame.commonStart, frame.payloadEnd + 2);
      };
      new Parser({ ...clientHandlers, PUB: note, HPUB: note }, [], limits).parse(Buffer.from(said, 'latin1'));
      return found;
    };
    assert.equal(common('PUB a 2\r\nhi\r\n'), '2\r\nhi\r\n');
    assert.equal(common('pub  a r 2\r\nhi\r\n'), 'r 2\r\nhi\r\n');
    assert.equal(common('HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n'), 'r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n');
    for (const odd of [
      'PUB a  2\r\nhi\r\n',
      'PUB a\t2\r\nhi\r\n',
      'PUB a 2 \r\nhi\r\n',
      'PUB a 2\nhi\r\n',
      'PUB a r  2\r\nhi\r\n',
      'HPUB a 0 2\r\nhi\r\n',
    ]) {
      assert.equal(common(odd), undefined, odd);
    }
  });
});
