import type { Msg } from '@nats-io/transport-node';
import type { Answer, Incoming, StoredMessage } from '../../driver.ts';
import { ClientError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { headersOf, stored } from './stored.ts';
import { nanosPerMs } from './wire.ts';

/** Makes a dead letter of a delivery, where the server does not. */
export type MakeLetter = (delivery: NatsDelivery, cause: string) => Promise<void>;

/**
 * A delivery of a JetStream consumer. Its reply subject has its numbers:
 *
 * ```
 * $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<nanoseconds>.<pending>
 * $JS.ACK.<domain>.<account>.<stream>.<consumer>.…
 * ```
 */
export class NatsDelivery implements Incoming {
  readonly message: StoredMessage;
  readonly deliveries: number;
  readonly subject: string;
  readonly sequence: number;
  readonly #connection: Connection;
  readonly #reply: string;
  /** Undefined: the server makes dead letters by itself. */
  readonly #makeLetter: MakeLetter | undefined;

  constructor(connection: Connection, message: Msg, makeLetter: MakeLetter | undefined) {
    this.#connection = connection;
    this.#reply = message.reply!;
    this.#makeLetter = makeLetter;
    const tokens = this.#reply.split('.');
    const at = tokens.length > 9 ? 4 : 2;
    this.deliveries = Number(tokens[at + 2]);
    this.subject = message.subject;
    this.sequence = Number(tokens[at + 3]);
    this.message = stored({
      stream: tokens[at]!,
      subject: message.subject,
      sequence: this.sequence,
      headers: headersOf(message.headers),
      bytes: message.data,
      timestampMs: Number(tokens[at + 5]!.slice(0, -6)),
    });
  }

  settle(answer: Answer, confirm: boolean): Promise<boolean> {
    switch (answer.kind) {
      case 'ack':
        return this.#answer('+ACK', confirm);
      case 'retry':
        return this.#answer(nak({ delay: nanos(answer.delayMs), reason: answer.reason }), confirm);
      case 'postpone':
        return this.#answer(nak({ delay: nanos(answer.delayMs), counts: false }), confirm);
      case 'release':
        return this.#answer(nak({ counts: false }), confirm);
      case 'dead':
        break;
    }
    return this.#giveUp(answer.cause, answer.reason, confirm);
  }

  extend(): void {
    if (this.#connection.isUp) this.#connection.core.publish(this.#reply, '+WPI');
  }

  async #giveUp(cause: 'rejected' | 'max-deliveries', reason: string, confirm: boolean): Promise<boolean> {
    if (this.#makeLetter) {
      // First the letter, then the end of the message: after a crash between them it is given up once more,
      // and the id of the letter makes that one.
      await this.#makeLetter(this, reason === '' ? cause : `${cause}: ${reason}`);
      return this.#answer('+TERM', confirm);
    }
    return this.#answer(`+TERM ${reason}`, confirm);
  }

  async #answer(body: string, confirm: boolean): Promise<boolean> {
    const { core, options, target } = this.#connection;
    if (core.isClosed()) return false;
    if (!confirm) {
      core.publish(this.#reply, body);
      return true;
    }
    try {
      await core.request(this.#reply, body, { timeout: options.requestTimeoutMs });
      return true;
    } catch (error) {
      const what = `${target} did not confirm the answer to message "${this.message.id}"`;
      throw new ClientError('unreachable', `${what}: ${(error as Error).message}`, error);
    }
  }
}

/**
 * The reason and `counts` are for a Pillarbox server, which keeps the one for the dead letter, and does not
 * take the other for a failure; nats-server passes over them.
 */
function nak(argument: { delay?: number; reason?: string; counts?: false }): string {
  return `-NAK ${JSON.stringify(argument)}`;
}

function nanos(ms: number): number {
  return Math.round(ms * nanosPerMs);
}
