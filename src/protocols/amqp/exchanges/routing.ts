import type { FieldTable } from '../../../wire/amqp/index.ts';
import type { Binding } from './binding.ts';

/** What a message is routed by. */
export interface Routed {
  readonly routingKey: string;
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
