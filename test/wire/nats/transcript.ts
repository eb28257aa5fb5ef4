import {
  Parser,
  type ClientVerb,
  type Frame,
  type Handlers,
  type ParserLimits,
  type ServerVerb,
  type Verb,
} from '../../../src/wire/nats/index.ts';

/** The output of a parser, one line per frame. */
export type Transcript = string[];

const range = (frame: Frame, start: number, end: number): string =>
  start < 0 ? '-' : frame.buffer.toString('latin1', start, end);
const payload = (frame: Frame): string =>
  frame.buffer.toString('latin1', frame.payloadStart, frame.payloadEnd);

function publish(verb: string) {
  return (transcript: Transcript, frame: Frame): void => {
    const subject = range(frame, frame.subjectStart, frame.subjectEnd);
    const reply = range(frame, frame.replyStart, frame.replyEnd);
    transcript.push(
      `${verb} ${subject} reply=${reply} header=${frame.headerBytes} ${JSON.stringify(payload(frame))}`,
    );
  };
}

function message(verb: string) {
  return (transcript: Transcript, frame: Frame): void => {
    publish(`${verb} ${frame.sid()}`)(transcript, frame);
  };
}

function text(verb: string) {
  return (transcript: Transcript, frame: Frame): void => {
    transcript.push(`${verb} ${frame.text()}`);
  };
}

function plain(verb: string) {
  return (transcript: Transcript): void => {
    transcript.push(verb);
  };
}

export const clientHandlers: Handlers<ClientVerb, Transcript> = {
  CONNECT: text('CONNECT'),
  PUB: publish('PUB'),
  HPUB: publish('HPUB'),
  SUB(transcript, frame) {
    transcript.push(`SUB ${frame.subject()} queue=${frame.queue() ?? '-'} sid=${frame.sid()}`);
  },
  UNSUB(transcript, frame) {
    transcript.push(`UNSUB ${frame.sid()} max=${frame.maxMessages}`);
  },
  PING: plain('PING'),
  PONG: plain('PONG'),
  INFO: text('INFO'),
  '+OK': plain('+OK'),
  '-ERR': text('-ERR'),
};

export const serverHandlers: Handlers<ServerVerb, Transcript> = {
  INFO: text('INFO'),
  MSG: message('MSG'),
  HMSG: message('HMSG'),
  '+OK': plain('+OK'),
  '-ERR': text('-ERR'),
  PING: plain('PING'),
  PONG: plain('PONG'),
};

export const limits: ParserLimits = { controlLineBytesMax: 4096, payloadBytesMax: 1024 * 1024 };

/** Feeds the chunks to a parser; an error is the last line. */
export function read<Side extends Verb>(
  handlers: Handlers<Side, Transcript>,
  chunks: readonly Buffer[],
  given: ParserLimits = limits,
): Transcript {
  const transcript: Transcript = [];
  const parser = new Parser(handlers, transcript, given);
  try {
    for (const chunk of chunks) parser.parse(chunk);
  } catch (error) {
    transcript.push(`error ${(error as { code?: string }).code}`);
  }
  return transcript;
}

/** A server's reading of a client's bytes. */
export function fromClient(said: string, ...more: string[]): Transcript {
  return read(
    clientHandlers,
    [said, ...more].map((text) => Buffer.from(text, 'latin1')),
  );
}

/** A client's reading of a server's bytes. */
export function fromServer(said: string): Transcript {
  return read(serverHandlers, [Buffer.from(said, 'latin1')]);
}

export function oneByOne(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.from([byte]));
}
