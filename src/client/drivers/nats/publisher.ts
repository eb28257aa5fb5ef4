import type { Msg, MsgHdrs, Subscription } from '@nats-io/transport-node';
import type { Timer } from '../../../util/index.ts';
import { ClientError, closedError } from '../../errors.ts';
import { refusal, type Connection } from './connection.ts';
import { errorCodes, type PubAck } from './wire.ts';

/** A publish that the server has not confirmed. */
interface Pending {
  readonly subject: string;
  readonly value: Uint8Array | string;
  readonly headers: MsgHdrs;
  readonly deadlineMs: number;
  readonly resolve: (ack: PubAck) => void;
  readonly reject: (error: Error) => void;
}

/** The waits before publishes are sent again that no stream answered, as while a server starts. */
const holdMs = [50, 100, 200, 400, 800] as const;
/** How often deadlines are looked at. */
const lookMs = 250;

/**
 * The publisher of a topic. It keeps each publish until the server has confirmed it, and sends all of them
 * again, in their order, after a lost connection or when no stream answered: the server knows their ids.
 */
export class TopicPublisher {
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #subscription: Subscription;
  readonly #stopWatching: () => void;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #holds = 0;
  #hold: Timer | undefined;
  #deadlines: Timer | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#prefix = `${connection.nats.createInbox()}.`;
    this.#subscription = connection.core.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (!error) this.#answered(message);
      },
    });
    this.#stopWatching = connection.onReconnect(() => this.#sendAll());
  }

  publish(subject: string, value: Uint8Array | string, headers: MsgHdrs): Promise<PubAck> {
    const { clock, publishTimeoutMs } = this.#connection.options;
    return new Promise((resolve, reject) => {
      const deadlineMs = clock.monotonic() + publishTimeoutMs;
      const pending: Pending = { subject, value, headers, deadlineMs, resolve, reject };
      this.#pending.set(++this.#last, pending);
      this.#watchDeadlines();
      if (this.#connection.isUp && !this.#hold) this.#send(this.#last, pending);
    });
  }

  close(): void {
    this.#stopWatching();
    this.#hold?.cancel();
    this.#deadlines?.cancel();
    this.#subscription.unsubscribe();
    for (const pending of this.#pending.values()) pending.reject(closedError('The client'));
    this.#pending.clear();
  }

  #send(number: number, { subject, value, headers, reject }: Pending): void {
    try {
      this.#connection.core.publish(subject, value, { headers, reply: `${this.#prefix}${number}` });
    } catch (error) {
      this.#pending.delete(number);
      const { target } = this.#connection;
      const code = /payload/i.test((error as Error).message) ? 'message-too-large' : 'message-invalid';
      reject(new ClientError(code, `${target} cannot take the message: ${(error as Error).message}`, error));
    }
  }

  #sendAll(): void {
    this.#hold?.cancel();
    this.#hold = undefined;
    for (const [number, pending] of this.#pending) this.#send(number, pending);
  }

  #answered(message: Msg): void {
    const number = Number(message.subject.slice(this.#prefix.length));
    const pending = this.#pending.get(number);
    if (!pending) return;
    if (message.headers?.code === 503) return this.#sendLater();
    const ack = JSON.parse(Buffer.from(message.data).toString('utf8')) as PubAck;
    if (ack.error?.err_code === errorCodes.duplicateUnderWay || ack.error?.code === 503)
      return this.#sendLater();
    this.#holds = 0;
    this.#pending.delete(number);
    if (!ack.error) pending.resolve(ack);
    else
      pending.reject(
        refusal(`${this.#connection.target} refuses a message to "${pending.subject}"`, ack.error),
      );
  }

  /** Holds all publishes back for a moment, and sends them again in their order. */
  #sendLater(): void {
    const waitMs = holdMs[Math.min(this.#holds, holdMs.length - 1)]!;
    this.#hold ??= this.#connection.options.clock.setTimer(waitMs, () => this.#sendAll());
    this.#holds += 1;
  }

  #watchDeadlines(): void {
    const { clock } = this.#connection.options;
    this.#deadlines ??= clock.setTimer(lookMs, () => {
      this.#deadlines = undefined;
      const nowMs = clock.monotonic();
      for (const [number, { deadlineMs, subject, reject }] of this.#pending) {
        if (deadlineMs > nowMs) break; // those behind it came later
        this.#pending.delete(number);
        const what = `${this.#connection.target} did not confirm a message to "${subject}" in time.`;
        reject(new ClientError('not-confirmed', `${what} Publish it again with the same dedupeId.`));
      }
      if (this.#pending.size > 0) this.#watchDeadlines();
    });
  }
}
