import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Broker, type BrokerOptions } from '../../../src/broker/index.ts';
import { MemoryFiles, type Files } from '../../../src/log/index.ts';
import { AmqpFrontend, type AmqpEvent, type AmqpOptions } from '../../../src/protocols/amqp/index.ts';
import {
  contentSize,
  encodeProperties,
  FrameParser,
  methodFrame,
  methods,
  protocolHeader,
  writeContent,
  type Arguments,
  type FieldTable,
  type FieldValue,
  type Method,
  type Properties,
} from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { Transcript } from '../../wire/amqp/transcript.ts';

/** AMQP alone, on a free port, over a broker in memory. */
export class TestServer implements AsyncDisposable {
  readonly broker: Broker;
  readonly amqp: AmqpFrontend;
  readonly port: number;
  readonly events: AmqpEvent[];

  private constructor(broker: Broker, amqp: AmqpFrontend, port: number, events: AmqpEvent[]) {
    this.broker = broker;
    this.amqp = amqp;
    this.port = port;
    this.events = events;
  }

  /** `files`: those of an earlier server. */
  static async start({
    files = new MemoryFiles(),
    brokerOptions = {},
    ...options
  }: Partial<AmqpOptions> & {
    readonly files?: Files;
    readonly brokerOptions?: Partial<BrokerOptions>;
  } = {}): Promise<TestServer> {
    const broker = await Broker.open({ dir: '/data', files, ...brokerOptions });
    const events: AmqpEvent[] = [];
    const amqp = new AmqpFrontend({ broker, report: (event) => events.push(event), ...options });
    const { port } = await amqp.listen({ host: '127.0.0.1', port: 0 });
    return new TestServer(broker, amqp, port, events);
  }

  /** A connection that is open, with channel 1. */
  async open(login: Login = {}): Promise<Peer> {
    const peer = await Peer.connect(this.port);
    await peer.handshake(login);
    peer.send(methods.channel.open, { reserved1: '' });
    await peer.expect('1 channel.open-ok');
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.amqp.close();
    await this.broker.close();
  }
}

/** As whom, and where, a client opens its connection. */
interface Login {
  readonly user?: string;
  readonly password?: string;
  readonly capabilities?: readonly string[];
  readonly virtualHost?: string;
}

const nothing = { reserved1: 0 } as const;
const noArguments: FieldTable = new Map();

/** A client that sends the frames it is told to and shows what comes back, frame by frame, as text. */
export class Peer implements Disposable {
  readonly #socket: Duplex;
  readonly #transcript = new Transcript();
  #read = 0;
  #isClosed = false;

  private constructor(socket: Duplex) {
    this.#socket = socket;
    const parser = new FrameParser(this.#transcript, 131_072);
    parser.parse(protocolHeader);
    this.#read = 1;
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => (this.#isClosed = true));
  }

  /** A client that has a connection already, of whatever kind. */
  static on(stream: Duplex): Peer {
    return new Peer(stream);
  }

  static async connect(port: number): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1' });
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  /** Opens the connection, as this user. */
  async handshake({
    user = 'guest',
    password = 'guest',
    capabilities = ['consumer_cancel_notify', 'authentication_failure_close'],
    virtualHost = '/',
  }: Login = {}): Promise<void> {
    this.write(protocolHeader);
    await this.expect('0 connection.start');
    this.send(
      methods.connection.startOk,
      {
        clientProperties: new Map<string, FieldValue>([
          ['product', 'peer'],
          ['capabilities', new Map(capabilities.map((name) => [name, true]))],
        ]),
        mechanism: 'PLAIN',
        response: Buffer.from(`\0${user}\0${password}`),
        locale: 'en_US',
      },
      0,
    );
    const answer = await this.next();
    if (!answer.startsWith('0 connection.tune')) throw new Error(answer);
    this.send(methods.connection.tuneOk, { channelMax: 2047, frameMax: 131_072, heartbeat: 0 }, 0);
    this.send(methods.connection.open, { virtualHost, reserved1: '', reserved2: false }, 0);
    await this.expect('0 connection.open-ok');
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send<M extends Method>(method: M, values: Arguments<M>, channel = 1): void {
    this.write(methodFrame(channel, method, values));
  }

  // ---- the methods that tests send most

  declare(
    queue: string,
    options: Partial<Arguments<typeof methods.queue.declare>> = {},
    channel = 1,
  ): Promise<string> {
    this.send(
      methods.queue.declare,
      {
        ...nothing,
        queue,
        passive: false,
        durable: true,
        exclusive: false,
        autoDelete: false,
        noWait: false,
        arguments: noArguments,
        ...options,
      },
      channel,
    );
    return this.next();
  }

  exchange(
    exchange: string,
    type: string,
    options: Partial<Arguments<typeof methods.exchange.declare>> = {},
  ): Promise<string> {
    this.send(methods.exchange.declare, {
      ...nothing,
      exchange,
      type,
      passive: false,
      durable: true,
      autoDelete: false,
      internal: false,
      noWait: false,
      arguments: noArguments,
      ...options,
    });
    return this.next();
  }

  bind(
    queue: string,
    exchange: string,
    routingKey: string,
    table: FieldTable = noArguments,
  ): Promise<string> {
    this.send(methods.queue.bind, {
      ...nothing,
      queue,
      exchange,
      routingKey,
      noWait: false,
      arguments: table,
    });
    return this.next();
  }

  publish(
    exchange: string,
    routingKey: string,
    body: string,
    {
      mandatory = false,
      channel = 1,
      ...properties
    }: Properties & { mandatory?: boolean; channel?: number } = {},
  ): void {
    const method = { ...nothing, exchange, routingKey, mandatory, immediate: false };
    this.send(methods.basic.publish, method, channel);
    const bytes = Buffer.from(body);
    const encoded = encodeProperties(properties);
    const frames = Buffer.alloc(contentSize(encoded.length, bytes.length, 131_072));
    const parts = { properties: encoded, body: bytes, bodyStart: 0, bodyEnd: bytes.length };
    writeContent(frames, 0, channel, parts, 131_072);
    this.write(frames);
  }

  async consume(
    queue: string,
    options: Partial<Arguments<typeof methods.basic.consume>> = {},
  ): Promise<string> {
    this.send(methods.basic.consume, {
      ...nothing,
      queue,
      consumerTag: 'c',
      noLocal: false,
      noAck: false,
      exclusive: false,
      noWait: false,
      arguments: noArguments,
      ...options,
    });
    return this.next();
  }

  get(queue: string, noAck = false): void {
    this.send(methods.basic.get, { ...nothing, queue, noAck });
  }

  ack(deliveryTag: number, multiple = false): void {
    this.send(methods.basic.ack, { deliveryTag, multiple });
  }

  nack(deliveryTag: number, requeue: boolean, multiple = false): void {
    this.send(methods.basic.nack, { deliveryTag, multiple, requeue });
  }

  // ---- what comes back

  /** The next frame, as text. */
  async next(): Promise<string> {
    const lines = this.#transcript.lines;
    await eventually(() => lines.length > this.#read || this.#isClosed);
    return lines[this.#read++] ?? 'closed';
  }

  /** The next frame begins so. */
  async expect(start: string): Promise<string> {
    const line = await this.next();
    assert.ok(line.startsWith(start), `expected ${start}, got ${line}`);
    return line;
  }

  /** The next message: its method, and its body (its frames may still be on their way). */
  async message(): Promise<{ readonly method: string; readonly header: string; readonly body: string }> {
    const method = await this.next();
    const header = await this.next();
    const bytes = Number(/header 60 (\d+)/.exec(header)?.[1]);
    if (bytes === 0) return { method, header, body: '' };
    const line = await this.next();
    const at = this.#read - 1;
    const length = (): number => this.#transcript.lines[at]!.length - line.indexOf('body ') - 5;
    await eventually(() => length() === bytes);
    return { method, header, body: this.#transcript.lines[at]!.slice(line.indexOf('body ') + 5) };
  }

  /** Nothing has come before the answer to a request made now. */
  async silent(): Promise<void> {
    this.send(methods.channel.flow, { active: true });
    assert.equal(await this.next(), '1 channel.flow-ok {"active":true}');
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Reads nothing until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
