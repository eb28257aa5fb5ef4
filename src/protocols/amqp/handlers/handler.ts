import type { Arguments, Method } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';

/** Carries out a method of a client. Throws, or rejects with, an AmqpError. */
export type Handler<M extends Method = Method> = (
  channel: Channel,
  values: Arguments<M>,
) => void | Promise<void>;

/** A method with its handler. */
export type Handling = readonly [method: Method, handler: Handler];

export function on<M extends Method>(method: M, handler: Handler<M>): Handling {
  return [method, handler as unknown as Handler];
}
