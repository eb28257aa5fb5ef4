import type { Topic } from '../../../broker/index.ts';
import type { FieldTable } from '../../../wire/amqp/index.ts';
import type { Exchange } from './exchange.ts';

/** The target of a binding: the topic of a queue, or another exchange. */
export type Destination =
  | { readonly kind: 'queue'; readonly topic: Topic }
  | { readonly kind: 'exchange'; readonly exchange: Exchange };

/** A binding sends the messages of an exchange that match it to a queue or to another exchange. */
export interface Binding {
  readonly source: Exchange;
  readonly destination: Destination;
  readonly routingKey: string;
  readonly arguments: FieldTable;
  /** Two bindings with the same identity are one. */
  readonly identity: string;
  readonly isDurable: boolean;
  /** Its charge in the routing budget. */
  readonly charge: number;
}

/** The identity of a binding. `encodedArguments` is the table in its encoded form. */
export function identityOf(
  source: string,
  destination: Destination,
  routingKey: string,
  encodedArguments: Uint8Array,
): string {
  const target = destination.kind === 'queue' ? destination.topic.id : destination.exchange.name;
  return JSON.stringify([
    source,
    destination.kind,
    target,
    routingKey,
    Buffer.from(encodedArguments).toString('base64'),
  ]);
}
