import assert from 'node:assert/strict';
import {
  FrameWriter,
  Parser,
  WireError,
  decodeConnect,
  decodeHeaders,
} from '../../../src/wire/nats/index.ts';
import { clientHandlers, limits, serverHandlers, type Transcript } from '../../wire/nats/transcript.ts';
import type { Target } from '../target.ts';

/**
 * The bytes of a client, whole and cut in pieces, read by the server's parser and (for the other verbs) by a
 * client's.
 */
export const natsParser: Target = {
  name: 'nats-parser',
  words: [
    'PUB ',
    'HPUB ',
    'SUB ',
    'UNSUB ',
    'PING\r\n',
    'PONG\r\n',
    'CONNECT {',
    '}\r\n',
    'INFO {',
    'MSG ',
    'HMSG ',
    '+OK\r\n',
    "-ERR 'x'\r\n",
    '\r\n',
    'NATS/1.0\r\n',
    'NATS/1.0 503\r\n',
    '\r\n\r\n',
    ' 1',
    '\t',
    '*',
    '>',
    '.',
  ],
  seeds: () => [
    new FrameWriter()
      .connect({ name: 'x', headers: true })
      .subscribe('a.*', '1', 'q')
      .publish({ subject: 'a.b', value: 'hello' })
      .publish({ subject: 'a.b', reply: 'r', headers: [{ name: 'A', value: Buffer.from('1') }], value: 'v' })
      .unsubscribe('1', 3)
      .ping()
      .take(),
    new FrameWriter().message('5', { subject: 's', value: 'v' }).take(),
    Buffer.from("INFO {}\r\n+OK\r\n-ERR 'no'\r\nPONG\r\n"),
  ],
  prepare: () => (input) => {
    for (const handlers of [clientHandlers, serverHandlers]) {
      const whole = transcriptOf(handlers, [input]);
      const at = input.length === 0 ? 0 : (input[0]! * 7919) % input.length;
      assert.deepEqual(transcriptOf(handlers, [input.subarray(0, at), input.subarray(at)]), whole);
      if (input.length < 200)
        assert.deepEqual(
          transcriptOf(
            handlers,
            Array.from(input, (byte) => Buffer.from([byte])),
          ),
          whole,
        );
    }
    allow(() => decodeConnect(input.toString('latin1')));
    allow(() => decodeHeaders(input, 0, input.length));
  },
};

function transcriptOf(
  handlers: typeof clientHandlers | typeof serverHandlers,
  chunks: readonly Buffer[],
): Transcript {
  const transcript: Transcript = [];
  const parser = new Parser(handlers as typeof clientHandlers, transcript, limits);
  allow(
    () => {
      for (const chunk of chunks) parser.parse(chunk);
    },
    (code) => transcript.push(`error ${code}`),
  );
  return transcript;
}

function allow(run: () => unknown, refused?: (code: string) => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    refused?.(error.code);
  }
}
