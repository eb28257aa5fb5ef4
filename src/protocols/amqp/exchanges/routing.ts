import type { FieldTable } from '../../../wire/amqp/index.ts';
import type { Binding } from './binding.ts';

/** What a message is routed by. */
export interface Routed {
  /** The routing key of the publish, then those that its headers name. */
  readonly routingKeys: readonly string[];
  /** Decoded when first asked for. */
  headers(): FieldTable;
}

/** The types of exchanges. */
export const exchangeTypes = ['direct', 'fanout', 'topic', 'headers'] as const;
export type ExchangeType = (typeof exchangeTypes)[number];

/** The rule by which an exchange finds the bindings that a message matches. */
export interface Routing {
  add(binding: Binding): void;
  remove(binding: Binding): void;
  match(message: Routed, found: (binding: Binding) => void): void;
}
