import type { Socket } from 'node:net';
import {
  contentSize,
  encodeProperties,
  FrameParser,
  methodFrame,
  methodOf,
  methods,
  protocolHeader,
  readArguments,
  readContentHeader,
  Reader,
  readProperties,
  writeContent,
  type Arguments,
  type FieldValue,
  type FrameSink,
  type Method,
  type Properties,
} from '../../src/wire/amqp/index.ts';
import type { AmqpRun } from './amqp-run.ts';
import { SimulatedSocket } from './simulated-socket.ts';

/** Small, so that larger messages take several frames. */
const frameBytesMax = 4096;
const piecesMax = 3;

/** A method of the server, with the content that followed it. */
export interface Heard {
  readonly channel: number;
  readonly method: Method;
  readonly values: Arguments<Method>;
  readonly properties: Properties;
  readonly body: Buffer;
}

/** What a publish says. */
export interface AmqpPublish {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
  readonly properties: Properties;
  readonly body: Buffer;
}

/**
 * An AMQP client with one connection to a session of the broker. Connection, session and protocol are the
 * real ones; only the wire is simulated. Chance cuts the bytes into pieces, and may let other things happen
 * before the next piece arrives.
 */
export class AmqpClient {
  readonly #run: AmqpRun;
  readonly #socket: SimulatedSocket;
  readonly #parser: FrameParser;
  readonly #heard: (heard: Heard) => void;
  readonly #lost: () => void;
  /** Pieces that are on their way. */
  #unheard: Buffer[] = [];
  #isClosed = false;

  /** `heard` takes the methods of the server; `lost` is called when the connection has ended. */
  constructor(run: AmqpRun, heard: (heard: Heard) => void, lost: () => void) {
    this.#run = run;
    this.#heard = heard;
    this.#lost = lost;
    this.#parser = new FrameParser(new Contents((method) => this.#take(method)), frameBytesMax);
    this.#parser.parse(protocolHeader); // only clients send it
    this.#socket = new SimulatedSocket(
      (chunk) => this.#hear(chunk),
      () => this.#ended(),
    );
    run.frontend.accept(this.#socket as unknown as Socket);
    const { startOk, tuneOk, open } = methods.connection;
    const capabilities = new Map([['consumer_cancel_notify', true]]);
    this.#write(protocolHeader);
    this.send(0, startOk, {
      clientProperties: new Map<string, FieldValue>([
        ['product', 'simulated'],
        ['capabilities', capabilities],
      ]),
      mechanism: 'PLAIN',
      response: Buffer.from('\0guest\0guest'),
      locale: 'en_US',
    });
    this.send(0, tuneOk, { channelMax: 100, frameMax: frameBytesMax, heartbeat: 0 });
    this.send(0, open, { virtualHost: '/', reserved1: '', reserved2: false });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send<M extends Method>(channel: number, method: M, values: Arguments<M>): void {
    this.#write(methodFrame(channel, method, values));
  }

  publish(channel: number, { exchange, routingKey, mandatory, properties, body }: AmqpPublish): void {
    const { publish } = methods.basic;
    const head = methodFrame(channel, publish, {
      reserved1: 0,
      exchange,
      routingKey,
      mandatory,
      immediate: false,
    });
    const encoded = encodeProperties(properties);
    const content = Buffer.alloc(contentSize(encoded.length, body.length, frameBytesMax));
    const parts = { properties: encoded, body, bodyStart: 0, bodyEnd: body.length };
    writeContent(content, 0, channel, parts, frameBytesMax);
    this.#write(Buffer.concat([head, content]));
  }

  /** The connection breaks: bytes that are on their way do not arrive. */
  hangUp(): void {
    if (this.#isClosed) return;
    this.#socket.destroy();
    this.#ended();
  }

  #write(bytes: Buffer): void {
    // Not from within an answer of the server.
    queueMicrotask(() => this.#say(bytes));
  }

  #say(bytes: Buffer): void {
    if (this.#isClosed) return;
    const { random, clock } = this.#run;
    let rest = bytes;
    for (let pieces = random.int(piecesMax); pieces >= 0 && rest.length > 0; pieces--) {
      const piece = rest.subarray(0, pieces === 0 ? rest.length : 1 + random.int(rest.length));
      rest = rest.subarray(piece.length);
      if (this.#unheard.length === 0 && random.int(6) > 0) this.#socket.say(piece);
      else {
        this.#unheard.push(piece);
        clock.defer(() => this.#arrive());
      }
    }
  }

  #arrive(): void {
    const piece = this.#unheard.shift();
    if (piece && !this.#isClosed) this.#socket.say(piece);
  }

  #hear(chunk: Buffer): void {
    if (!this.#run.isOver && !this.#isClosed) this.#parser.parse(Buffer.from(chunk));
  }

  #take(heard: Heard): void {
    if (!this.#isClosed && !this.#run.isOver) this.#heard(heard);
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unheard = [];
    if (!this.#run.isOver) this.#lost();
  }
}

const none: Pick<Heard, 'properties' | 'body'> = { properties: {}, body: Buffer.alloc(0) };

/** Puts the frames of the server together. */
class Contents implements FrameSink {
  readonly #heard: (heard: Heard) => void;
  readonly #begun = new Map<number, Heard & { bodyBytes: number }>();

  constructor(heard: (heard: Heard) => void) {
    this.#heard = heard;
  }

  begun(): void {}

  heartbeat(): void {}

  method(channel: number, buffer: Buffer, start: number, end: number): void {
    const reader = new Reader(buffer, start, end);
    const method = methodOf(reader.u16(), reader.u16())!;
    const heard = { channel, method, values: readArguments(method, reader), ...none };
    if (method.hasContent) this.#begun.set(channel, { ...heard, bodyBytes: -1 });
    else this.#heard(heard);
  }

  header(channel: number, buffer: Buffer, start: number, end: number): void {
    const { bodyBytes, properties } = readContentHeader(buffer, start, end);
    const begun = { ...this.#begun.get(channel)!, bodyBytes, properties: readProperties(properties) };
    this.#begun.set(channel, begun);
    this.#finish(channel);
  }

  body(channel: number, buffer: Buffer, start: number, end: number): void {
    const begun = this.#begun.get(channel)!;
    this.#begun.set(channel, { ...begun, body: Buffer.concat([begun.body, buffer.subarray(start, end)]) });
    this.#finish(channel);
  }

  #finish(channel: number): void {
    const begun = this.#begun.get(channel)!;
    if (begun.body.length < begun.bodyBytes) return;
    this.#begun.delete(channel);
    this.#heard(begun);
  }
}
