import {
  LiveMessage,
  type BrokerOptions,
  type LiveSubscriber,
  type LiveSubscription,
} from '../../../../src/broker/index.ts';
import { fullAccess } from '../../../../src/protocols/users/index.ts';
import type { NatsSession } from '../../../../src/protocols/nats/jetstream-door.ts';
import { PillarboxJetStream } from '../../../../src/protocols/nats/jetstream/index.ts';
import { decodeHeaders, decodeStatus, encodeHeaders, natsHeaders } from '../../../../src/wire/nats/index.ts';
import { TestBroker } from '../../../broker/kit.ts';

/** A message as a NATS client would see it. */
export interface Seen {
  readonly subject: string;
  readonly reply: string | undefined;
  /** `404 No Messages`, when it is a status. */
  readonly status: string | undefined;
  readonly headers: { readonly [name: string]: string };
  readonly value: string;
}

/** An answer of the API or a PubAck: one type for all, looked into member by member. */
export interface ApiReply {
  readonly type?: string;
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
  readonly ack_floor?: Loose;
  readonly api?: Loose;
  readonly config?: Loose;
  readonly consumers?: Loose;
  readonly created?: Loose;
  readonly delivered?: Loose;
  readonly did_create?: Loose;
  readonly duplicate?: Loose;
  readonly limit?: Loose;
  readonly limits?: Loose;
  readonly memory?: Loose;
  readonly message?: Loose;
  readonly name?: Loose;
  readonly num_ack_pending?: Loose;
  readonly num_pending?: Loose;
  readonly num_redelivered?: Loose;
  readonly num_waiting?: Loose;
  readonly offset?: Loose;
  readonly outcome?: Loose;
  readonly pause_remaining?: Loose;
  readonly pause_until?: Loose;
  readonly paused?: Loose;
  readonly purged?: Loose;
  readonly push_bound?: Loose;
  readonly reset_seq?: Loose;
  readonly seq?: Loose;
  readonly state?: Loose;
  readonly storage?: Loose;
  readonly stream?: Loose;
  readonly streams?: Loose;
  readonly success?: Loose;
  readonly total?: Loose;
}

// oxlint-disable-next-line typescript/no-explicit-any -- what the tests assert says what it is
type Loose = any;

/** A subscriber of a subject, as a connection would be. */
export class Listener implements LiveSubscriber {
  readonly seen: Seen[] = [];
  congested = false;
  subscription!: LiveSubscription;
  readonly #drained: (() => void)[] = [];

  receive(message: LiveMessage): boolean {
    const block =
      message.headerStart >= 0 ? [message.headerBuffer, message.headerStart, message.headerEnd] : undefined;
    const status = block && decodeStatus(...(block as [Uint8Array, number, number]));
    const headers = block ? decodeHeaders(...(block as [Uint8Array, number, number])) : message.headers;
    this.seen.push({
      subject: message.subject,
      reply: message.reply,
      status: status && `${status.code} ${status.description}`,
      headers: Object.fromEntries(
        headers.map(({ name, value }) => [name, Buffer.from(value ?? []).toString()]),
      ),
      value: Buffer.from(message.value).toString(),
    });
    return true;
  }

  whenDrained(callback: () => void): void {
    this.#drained.push(callback);
  }

  drain(): void {
    this.congested = false;
    for (const callback of this.#drained.splice(0)) callback();
  }

  /** Status lines and payloads, in order. */
  get texts(): string[] {
    return this.seen.map(({ status, value }) => status ?? value);
  }

  /** The messages since the last call. */
  take(): Seen[] {
    return this.seen.splice(0);
  }
}

/**
 * JetStream over a broker in memory on virtual time, without connections: the test does the work of a
 * session.
 */
export class TestJetStream {
  readonly kit: TestBroker;
  jetStream: PillarboxJetStream;
  #inboxes = 0;
  readonly session: NatsSession & { holds: number } = {
    id: 1,
    clientName: 'test',
    closed: false,
    access: fullAccess,
    deny() {},
    holds: 0,
    hold() {
      this.holds++;
    },
    release() {
      this.holds--;
    },
  };

  private constructor(kit: TestBroker) {
    this.kit = kit;
    this.jetStream = this.#make();
  }

  static async open(options: Partial<BrokerOptions> = {}): Promise<TestJetStream> {
    return new TestJetStream(await TestBroker.open(options));
  }

  #make(): PillarboxJetStream {
    return new PillarboxJetStream(this.kit.broker, { name: 'test', version: '2.14.0', apiLevel: 1 });
  }

  async restart(): Promise<void> {
    this.jetStream.close();
    await this.kit.restart();
    this.jetStream = this.#make();
  }

  listen(subject: string, queue?: string): Listener {
    const listener = new Listener();
    listener.subscription = this.kit.broker.router.subscribe(subject, queue, listener);
    return listener;
  }

  unlisten(listener: Listener): void {
    this.kit.broker.router.unsubscribe(listener.subscription);
  }

  inbox(): { subject: string; listener: Listener } {
    const subject = `_INBOX.test.${++this.#inboxes}`;
    return { subject, listener: this.listen(subject) };
  }

  message(
    subject: string,
    parts: { value?: string | Uint8Array; reply?: string; headers?: { [name: string]: string } } = {},
  ): LiveMessage {
    const message = new LiveMessage();
    const value = Buffer.from(parts.value ?? '');
    const whole = Buffer.concat([Buffer.from(subject), value]);
    message.setSubject(whole, 0, Buffer.byteLength(subject));
    message.setValue(whole, Buffer.byteLength(subject), whole.length);
    if (parts.reply !== undefined) {
      const reply = Buffer.from(parts.reply);
      message.setReply(reply, 0, reply.length);
    }
    if (parts.headers) {
      const block = encodeHeaders(
        Object.entries(parts.headers).map(([name, text]) => ({ name, value: Buffer.from(text) })),
      );
      message.setHeaderBlock(natsHeaders, block, 0, block.length);
    }
    return message;
  }

  /** A request to the API and its answer. */
  async api(path: string, body?: object | string, headers?: { [name: string]: string }): Promise<ApiReply> {
    const { subject: reply, listener } = this.inbox();
    const value = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    this.jetStream.request(
      this.session,
      this.message(`$JS.API.${path}`, { value, reply, ...(headers ? { headers } : {}) }),
    );
    for (let round = 0; round < 20 && listener.seen.length === 0; round++) await this.kit.settle();
    this.unlisten(listener);
    const [answer] = listener.seen;
    if (!answer) throw new Error(`$JS.API.${path} was not answered`);
    return JSON.parse(answer.value) as ApiReply;
  }

  async addStream(name: string, config: object = {}): Promise<ApiReply> {
    const answer = await this.api(`STREAM.CREATE.${name}`, { name, subjects: [`${name}.>`], ...config });
    if (answer.error) throw new Error(answer.error.description);
    return answer;
  }

  async addConsumer(stream: string, name: string, config: object = {}): Promise<ApiReply> {
    const answer = await this.api(`CONSUMER.CREATE.${stream}.${name}`, {
      stream_name: stream,
      config: { durable_name: name, ack_policy: 'explicit', ...config },
    });
    if (answer.error) throw new Error(answer.error.description);
    return answer;
  }

  /** A publish, as the session does it when a stream captures the subject; resolves to the answer. */
  async publish(
    subject: string,
    value: string | Uint8Array = '',
    headers?: { [name: string]: string },
  ): Promise<ApiReply> {
    const { subject: reply, listener } = this.inbox();
    const message = this.message(subject, { value, reply, ...(headers ? { headers } : {}) });
    const topic = this.kit.broker.router.topicOf(subject);
    if (!topic) throw new Error(`no stream captures ${subject}`);
    this.jetStream.publish(this.session, message, topic);
    for (let round = 0; round < 20 && listener.seen.length === 0; round++) await this.kit.settle();
    this.unlisten(listener);
    const [answer] = listener.seen;
    if (!answer) throw new Error(`the publish to ${subject} was not answered`);
    return JSON.parse(answer.value) as ApiReply;
  }

  /** Sends a pull request; the answers are in the listener. `sent` is false if there was no receiver. */
  pull(stream: string, consumer: string, body: object | string = ''): Listener & { sent: boolean } {
    const { subject: reply, listener } = this.inbox();
    const value = typeof body === 'string' ? body : JSON.stringify(body);
    const sent = this.jetStream.request(
      this.session,
      this.message(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, { value, reply }),
    );
    return Object.assign(listener, { sent });
  }

  /** Answers a delivery. */
  ack(delivery: Seen, body = '', reply?: string): boolean {
    return this.jetStream.ack(
      this.session,
      this.message(delivery.reply!, { value: body, ...(reply === undefined ? {} : { reply }) }),
    );
  }

  async settle(): Promise<void> {
    await this.kit.settle();
  }

  async advance(ms: number): Promise<void> {
    await this.kit.advance(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.jetStream.close();
    await this.kit.broker.close();
  }
}
