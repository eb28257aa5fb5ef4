import type { Socket } from 'node:net';
import type { Broker } from '../../src/broker/index.ts';
import { serverInfo } from '../../src/protocols/nats/info.ts';
import { PillarboxJetStream } from '../../src/protocols/nats/jetstream/index.ts';
import { natsLimits } from '../../src/protocols/nats/limits.ts';
import type { SessionHost } from '../../src/protocols/nats/session-host.ts';
import { Session } from '../../src/protocols/nats/session.ts';
import { Flusher, Hall } from '../../src/protocols/connections/index.ts';
import { Users } from '../../src/protocols/users/index.ts';
import type { Clock } from '../../src/util/index.ts';
import { contentOf } from './message.ts';
import type { Answer, PlannedMessage } from './script.ts';
import { SimulatedSocket } from './simulated-socket.ts';

/** The answers to a NATS client that matter to the history. */
export interface NatsListener {
  published(id: number, offset: number, duplicate: boolean): void;
  refused(id: number, code: string): void;
  /** A delivery, with the subject that answers go to. */
  delivered(topic: string, group: string, offset: number, reply: string): void;
  /** An ack that asked for it is on disk. */
  confirmed(upTo: number): void;
  problem(text: string): void;
}

const answers: { readonly [K in Answer]: string } = {
  ack: '+ACK',
  'ack-all': '+ACK',
  nack: '-NAK',
  extend: '+WPI',
  reject: '+TERM unwanted',
};

/** A pull asks for messages until then; for more, the client asks again. */
const pullNanos = 60_000_000_000;

/**
 * A NATS client with one connection to a session of the broker: it publishes to JetStream, pulls, acks, and
 * keeps the answers. Connection, session and protocol are the real ones; only the wire is simulated.
 */
export class NatsClient {
  readonly #listener: NatsListener;
  readonly #socket: SimulatedSocket;
  readonly #jetStream: PillarboxJetStream;
  readonly #session: Session;
  #input: Buffer = Buffer.alloc(0);
  #pulls = 0;
  /** Ids of messages without an answer. */
  readonly #publishing = new Set<number>();

  constructor(broker: Broker, clock: Clock, listener: NatsListener) {
    this.#listener = listener;
    this.#jetStream = new PillarboxJetStream(broker, { name: 'simulated', version: '0', apiLevel: 1 });
    this.#socket = new SimulatedSocket((chunk) => this.#hear(chunk));
    this.#session = new Session(hostOf(broker, this.#jetStream, clock), this.#socket as unknown as Socket, 1);
    const connect = { verbose: false, pedantic: false, headers: true, no_responders: true, protocol: 1 };
    this.#socket.say(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\nSUB _INBOX.> 1\r\n`);
  }

  publish(
    plan: PlannedMessage,
    expected: { expectedLastOffset?: number; expectedLastKeyOffset?: number },
  ): void {
    this.#publishing.add(plan.id);
    const headers = ['NATS/1.0'];
    if (plan.dedupeId !== undefined) headers.push(`Nats-Msg-Id: ${plan.dedupeId}`);
    const { expectedLastOffset: last, expectedLastKeyOffset: lastOfKey } = expected;
    if (last !== undefined) headers.push(`Nats-Expected-Last-Sequence: ${last + 1}`);
    if (lastOfKey !== undefined) headers.push(`Nats-Expected-Last-Subject-Sequence: ${lastOfKey + 1}`);
    const block = Buffer.from(headers.length > 1 ? `${headers.join('\r\n')}\r\n\r\n` : '');
    const { value } = contentOf(plan);
    const verb =
      block.length > 0
        ? `HPUB ${plan.key} _INBOX.p.${plan.id} ${block.length}`
        : `PUB ${plan.key} _INBOX.p.${plan.id}`;
    this.#socket.say(
      Buffer.concat([
        Buffer.from(`${verb} ${block.length + value.length}\r\n`),
        block,
        value,
        Buffer.from('\r\n'),
      ]),
    );
  }

  pull(topic: string, group: string, batch: number): void {
    const body = JSON.stringify({ batch, expires: pullNanos });
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${topic}.${group}`;
    this.#socket.say(`PUB ${subject} _INBOX.c.${++this.#pulls} ${body.length}\r\n${body}\r\n`);
  }

  /** `confirm`: asks to hear when the answer is on disk, which says so of everything up to that event. */
  answer(reply: string, answer: Answer, delayMs: number | undefined, confirm: number | undefined): void {
    const delay = answer === 'nack' && delayMs !== undefined ? ` {"delay":${delayMs * 1_000_000}}` : '';
    const body = answers[answer] + delay;
    const inbox = confirm === undefined ? '' : ` _INBOX.a.${confirm}`;
    this.#socket.say(`PUB ${reply}${inbox} ${body.length}\r\n${body}\r\n`);
  }

  // ---- the server's verbs

  #hear(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const end = this.#input.indexOf('\r\n');
      if (end < 0) return;
      const [verb, ...rest] = this.#input.toString('latin1', 0, end).split(' ');
      const isMessage = verb === 'MSG' || verb === 'HMSG';
      const bytes = isMessage ? Number(rest.at(-1)) : 0;
      const next = end + 2 + (isMessage ? bytes + 2 : 0);
      if (this.#input.length < next) return;
      const payload = this.#input.subarray(end + 2, end + 2 + bytes);
      this.#input = this.#input.subarray(next);
      if (isMessage) this.#message(rest, verb === 'HMSG' ? Number(rest.at(-2)) : 0, payload);
      else if (verb === 'PING') this.#socket.say('PONG\r\n');
      else if (verb === '-ERR') this.#listener.problem(`-ERR ${rest.join(' ')}`);
    }
  }

  /** `subject sid [reply] [header bytes] bytes` */
  #message(args: readonly string[], headerBytes: number, payload: Buffer): void {
    const [subject = '', , reply = ''] = args;
    if (reply.startsWith('$JS.ACK.')) {
      const [, , topic, group, , sequence] = reply.split('.');
      return this.#listener.delivered(topic!, group!, Number(sequence) - 1, reply);
    }
    const [, kind, number] = subject.split('.');
    if (kind === 'p') this.#publishAnswered(Number(number), headerBytes, payload);
    else if (kind === 'a' && headerBytes === 0) this.#listener.confirmed(Number(number));
  }

  #publishAnswered(id: number, headerBytes: number, payload: Buffer): void {
    this.#publishing.delete(id);
    // 503: no topic captures the subject any more
    if (headerBytes > 0) return this.#listener.refused(id, 'topic-not-found');
    const answer = JSON.parse(payload.toString()) as PubAck;
    if (answer.error) this.#listener.refused(id, codeOf(answer.error));
    else this.#listener.published(id, answer.seq - 1, answer.duplicate ?? false);
  }

  /** Whether messages are on their way, to any topic that captures their subject when they arrive. */
  get isPublishing(): boolean {
    return this.#publishing.size > 0;
  }

  get isConnected(): boolean {
    return !this.#session.closed;
  }
}

interface PubAck {
  readonly seq: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code: number; readonly description: string };
}

/** The broker's code for an error of NATS; after `storage-failed` the message may be stored or not. */
function codeOf({ err_code: code, description }: NonNullable<PubAck['error']>): string {
  if (code === 10071) return 'wrong-last';
  if (code === 10054) return 'message-too-large';
  if (code === 10047) return 'storage-full';
  if (code === 10059) return 'topic-not-found';
  if (code === 10109) return 'not-allowed';
  if (code !== 10077) return `${code} ${description}`;
  if (description === 'maximum messages exceeded') return 'topic-full';
  if (description === 'maximum bytes exceeded') return 'topic-bytes-full';
  if (description === 'maximum messages per subject exceeded') return 'key-full';
  return 'storage-failed';
}

function hostOf(broker: Broker, jetStream: PillarboxJetStream, clock: Clock): SessionHost {
  const limits = natsLimits({});
  const { turns, logins, room } = new Hall(clock);
  return {
    router: broker.router,
    jetStream,
    clock,
    flusher: new Flusher(clock),
    turns,
    room,
    logins,
    readBuffer: Buffer.alloc(0), // a simulated socket is read as Node reads
    limits,
    users: new Users(),
    info: serverInfo({
      serverId: 'S',
      serverName: 'simulated',
      host: '',
      port: 0,
      payloadBytesMax: limits.payloadBytesMax,
      jetStream: true,
      authRequired: false,
    }),
    closing: () => {},
    gone: () => {},
  };
}
