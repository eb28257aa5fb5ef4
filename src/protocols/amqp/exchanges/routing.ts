import type { FieldTable, Properties } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';

/** What a message is routed by. */
export interface Routed {
  /** The routing key of the publish, then those that its headers name. */
  readonly routingKeys: readonly string[];
  /** Decoded when first asked for. */
  headers(): FieldTable;
  properties(): Properties;
}

/** The types of exchanges. */
export const exchangeTypes = [
  'direct',
  'fanout',
  'topic',
  'headers',
  'x-consistent-hash',
  'x-random',
  'x-local-random',
  'x-delayed-message',
] as const;
export type ExchangeType = (typeof exchangeTypes)[number];

/**
 * The type of this name. Throws PRECONDITION_FAILED if there is none: COMMAND_INVALID in older versions of
 * RabbitMQ.
 */
export function exchangeTypeOf(name: string): ExchangeType {
  const type = exchangeTypes.find((known) => known === name);
  if (type === undefined) throw new AmqpError('PRECONDITION_FAILED', `unknown exchange type '${name}'`);
  return type;
}

/** The rule by which an exchange finds the bindings that a message matches. */
export interface Routing {
  /** Whether the routing keys alone decide, so that a route may be kept. */
  readonly isOfKey: boolean;
  /** Throws PRECONDITION_FAILED if no binding can have these; without it, every binding can. */
  check?(routingKey: string, table: FieldTable): void;
  add(binding: Binding): void;
  remove(binding: Binding): void;
  /** Throws PRECONDITION_FAILED when that is too much work. */
  match(message: Routed, effort: Effort, found: (binding: Binding) => void): void;
}
