import type { FieldTable } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import type { Binding, Destination } from './binding.ts';
import type { Effort } from './effort.ts';
import { comparable } from './headers-routing.ts';
import type { Routed, Routing } from './routing.ts';

/** The arguments of an exchange that choose what is hashed; without one, the routing key is. */
const headerArgument = 'hash-header';
const propertyArgument = 'hash-property';

/** The properties that can be hashed, by the names that RabbitMQ has for them. */
const hashedProperties: { readonly [name: string]: 'correlationId' | 'messageId' | 'timestamp' } = {
  correlation_id: 'correlationId',
  message_id: 'messageId',
  timestamp: 'timestamp',
};

/** The share of a destination. */
interface Share {
  readonly seed: number;
  readonly weight: number;
}

/**
 * Each message goes to one destination, which a hash of its routing key, of a header or of a property
 * chooses. The routing key of a binding is its weight: a destination with weight 2 gets twice the messages of
 * one with weight 1.
 *
 * This is weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): every destination draws a number
 * from the hash and its own name, and the lowest, divided by the weight, wins. The choice depends on nothing
 * but the set of bindings, and a binding that comes or goes moves only the messages that it gains or loses.
 */
export class ConsistentHashRouting implements Routing {
  readonly isOfKey: boolean;
  readonly #valueOf: (message: Routed) => string;
  readonly #shares = new Map<Binding, Share>();

  /** Throws PRECONDITION_FAILED for arguments that do not fit. */
  constructor(table: FieldTable) {
    checkArguments(table);
    const header = table.get(headerArgument);
    const property = table.get(propertyArgument);
    const hashed = typeof property === 'string' ? hashedProperties[property] : undefined;
    this.isOfKey = header === undefined && hashed === undefined;
    if (typeof header === 'string') this.#valueOf = (message) => textOfHeader(message, header);
    else if (hashed !== undefined) this.#valueOf = (message) => String(message.properties()[hashed] ?? '');
    else this.#valueOf = ({ routingKeys }) => routingKeys[0]!;
  }

  /** The routing key has to be a weight. */
  check(routingKey: string): void {
    if (!/^[+-]?\d+$/.test(routingKey))
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `The binding key must be an integer: <<${JSON.stringify(routingKey)}>>`,
      );
    if (Number(routingKey) < 1)
      throw new AmqpError('PRECONDITION_FAILED', 'The binding key must be greater than 0');
  }

  add(binding: Binding): void {
    const seed = hashOf(nameOf(binding.destination));
    this.#shares.set(binding, { seed, weight: Number(binding.routingKey) });
  }

  remove(binding: Binding): void {
    this.#shares.delete(binding);
  }

  match(message: Routed, effort: Effort, found: (binding: Binding) => void): void {
    if (this.#shares.size === 0) return;
    effort.spend(this.#shares.size);
    const hash = hashOf(this.#valueOf(message));
    let chosen: Binding | undefined;
    let lowest = Infinity;
    for (const [binding, { seed, weight }] of this.#shares) {
      const draw = (mix(hash ^ seed) + 0.5) / 2 ** 32;
      const score = -Math.log(draw) / weight;
      if (score >= lowest) continue;
      lowest = score;
      chosen = binding;
    }
    if (chosen) found(chosen);
  }
}

function checkArguments(table: FieldTable): void {
  const [header, property] = [table.get(headerArgument), table.get(propertyArgument)];
  const problem = (): string | undefined => {
    if (header !== undefined && property !== undefined)
      return 'hash-header and hash-property are mutually exclusive';
    if (header !== undefined && typeof header !== 'string') return `${headerArgument} must be a text`;
    if (property === undefined) return undefined;
    if (typeof property !== 'string') return `${propertyArgument} must be a text`;
    return Object.hasOwn(hashedProperties, property) ? undefined : `Unsupported property: ${property}`;
  };
  const text = problem();
  if (text !== undefined) throw new AmqpError('PRECONDITION_FAILED', text);
}

function textOfHeader(message: Routed, name: string): string {
  const value = message.headers().get(name);
  return value === undefined ? '' : comparable(value);
}

/** By name, so that a queue that is declared anew gets the same messages. */
function nameOf(destination: Destination): string {
  return destination.kind === 'queue'
    ? `queue ${destination.topic.name}`
    : `exchange ${destination.exchange.name}`;
}

/** FNV-1a over the UTF-16 units of a text, 32 bits, mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** Spreads 32 bits: the last step of MurmurHash3 (Austin Appleby). */
function mix(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
