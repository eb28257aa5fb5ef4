import assert from 'node:assert/strict';
import { Broker, type BrokerOptions } from '../../../src/broker/index.ts';
import { MemoryFiles, type Files } from '../../../src/log/index.ts';
import { Hall, Listener } from '../../../src/protocols/connections/index.ts';
import { SqsFrontend, type SqsOptions } from '../../../src/protocols/sqs/index.ts';
import { SystemClock, VirtualClock } from '../../../src/util/index.ts';

/** A body of an answer, for tests to look into. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Body = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** SQS alone, on a free port, over a broker in memory whose time passes when told. */
export class SqsServer implements AsyncDisposable {
  readonly broker: Broker;
  readonly clock: VirtualClock;
  readonly files: Files;
  readonly port: number;
  readonly errors: unknown[];
  readonly #frontend: SqsFrontend;
  readonly #listener: Listener;

  private constructor(
    broker: Broker,
    clock: VirtualClock,
    files: Files,
    frontend: SqsFrontend,
    listener: Listener,
    port: number,
    errors: unknown[],
  ) {
    this.broker = broker;
    this.clock = clock;
    this.files = files;
    this.#frontend = frontend;
    this.#listener = listener;
    this.port = port;
    this.errors = errors;
  }

  /** `files` and `clock`: those of an earlier server. */
  static async start({
    files = new MemoryFiles(),
    clock = new VirtualClock(),
    brokerOptions = {},
    ...options
  }: Partial<SqsOptions> & {
    readonly files?: Files;
    readonly clock?: VirtualClock;
    readonly brokerOptions?: Partial<BrokerOptions>;
  } = {}): Promise<SqsServer> {
    const broker = await Broker.open({ dir: '/data', files, clock, ...brokerOptions });
    const errors: unknown[] = [];
    const frontend = new SqsFrontend({
      broker,
      hall: new Hall(new SystemClock()), // connections live in real time
      report: (error) => errors.push(error),
      ...options,
    });
    const listener = Listener.for((socket) => frontend.accept(socket));
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    frontend.listening({ host: '127.0.0.1', port });
    return new SqsServer(broker, clock, files, frontend, listener, port, errors);
  }

  /** Sends an operation as AWS JSON; a text is sent as it is. */
  async ask(
    action: string,
    input: object | string = {},
    headers: { readonly [name: string]: string } = {},
  ): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
        'x-amzn-query-mode': 'true',
        ...headers,
      },
      body: typeof input === 'string' ? input : JSON.stringify(input),
    });
    const text = await response.text();
    const body: Body = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, headers: response.headers, text, body };
  }

  /** The output of an operation that succeeds. */
  async call(action: string, input: object = {}): Promise<Body> {
    const { status, body } = await this.ask(action, input);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** The refusal of an operation as one text: `400 InvalidParameterValue: …`; `200` if it succeeds. */
  async told(action: string, input: object | string = {}): Promise<string> {
    const { status, headers, body } = await this.ask(action, input);
    if (status === 200) return '200';
    const [code, fault] = headers.get('x-amzn-query-error')!.split(';');
    assert.equal(fault, status < 500 ? 'Sender' : 'Receiver');
    return `${status} ${code}: ${body.message}`;
  }

  /** Creates a queue and returns its URL. */
  async queue(name: string, attributes: { readonly [name: string]: string } = {}): Promise<string> {
    const { QueueUrl } = await this.call('CreateQueue', {
      QueueName: name,
      Attributes: { ...attributes, ...(name.endsWith('.fifo') && { FifoQueue: 'true' }) },
    });
    return QueueUrl;
  }

  /** Sends messages one by one, with these bodies. */
  async send(url: string, ...bodies: readonly string[]): Promise<void> {
    for (const MessageBody of bodies) await this.call('SendMessage', { QueueUrl: url, MessageBody });
  }

  /** The messages that a receive gets; ten at most. */
  async receive(url: string, input: object = {}): Promise<Body[]> {
    const { Messages = [] } = await this.call('ReceiveMessage', {
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      ...input,
    });
    return Messages;
  }

  /** The bodies of the messages that a receive gets. */
  async bodies(url: string, input: object = {}): Promise<string[]> {
    return (await this.receive(url, input)).map(({ Body }) => Body);
  }

  async attributes(url: string, ...names: readonly string[]): Promise<Body> {
    const { Attributes } = await this.call('GetQueueAttributes', {
      QueueUrl: url,
      AttributeNames: names.length === 0 ? ['All'] : names,
    });
    return Attributes;
  }

  /** Stops, and starts again on the same files. */
  async restart(): Promise<SqsServer> {
    await this[Symbol.asyncDispose]();
    return SqsServer.start({ files: this.files, clock: this.clock });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    void this.#listener.close();
    await this.#frontend.close();
    await this.broker.close();
  }
}
