import type { LiveMessage as CoreLiveMessage } from '../broker/index.ts';
import type { AnyCodec } from './codec.ts';
import { BoxError } from './errors.ts';
import { MessageHeaders } from './headers.ts';
import { copyOf } from './message.ts';

/** Sends the answer to a live request. */
export interface Replier {
  publish(subject: string, value: never, options: { readonly codec: AnyCodec }): number;
  /** Sends an answer without a value. */
  fail(subject: string, headers: { readonly [name: string]: string }): number;
}

/**
 * The header that tells a requester that its request failed, and why. The name comes from NATS services
 * (ADR-32).
 */
export const errorHeader = 'Nats-Service-Error';

/** A live message as it was received. */
export class LiveMessage<T> {
  readonly subject: string;
  /** The subject on which the requester awaits an answer. */
  readonly reply: string | undefined;
  readonly headers: MessageHeaders;
  readonly bytes: Uint8Array;
  readonly #codec: AnyCodec;
  readonly #live: Replier;

  constructor(live: Replier, codec: AnyCodec, message: CoreLiveMessage) {
    this.#live = live;
    this.#codec = codec;
    this.subject = message.subject;
    this.reply = message.reply;
    this.headers = new MessageHeaders(copyOf(message.decodeHeaders()));
    this.bytes = Buffer.from(message.value);
  }

  /** The value, decoded from {@link bytes}. Throws a ValueError if they cannot be decoded. */
  get value(): T {
    const value = this.#codec.decode(this.bytes);
    if (value instanceof Promise) throw new TypeError('Live messages need a codec that decodes at once.');
    return value as T;
  }

  /** Answers the request; returns the number of subscribers that received the answer. */
  respond(value: unknown): number {
    if (this.reply === undefined) {
      throw new BoxError(
        'no-responders',
        `The message on "${this.subject}" is no request: nobody awaits an answer.`,
      );
    }
    return this.#live.publish(this.reply, value as never, { codec: this.#codec });
  }
}
