import type { Attributes, Topic } from '../../../broker/index.ts';
import { encodeTable, Reader, readTable, type FieldTable } from '../../../wire/amqp/index.ts';
import type { Binding } from './binding.ts';
import type { ExchangeDefinition } from './exchange.ts';
import { exchangeTypes, type ExchangeType } from './routing.ts';

/** A binding as it is stored. Topics are named by their ids, which are never reused. */
interface StoredBinding {
  readonly source: string;
  readonly topic?: number;
  readonly exchange?: string;
  readonly routingKey: string;
  /** The encoded table, in base64. */
  readonly arguments: string;
}

interface StoredExchange {
  readonly type: ExchangeType;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: string;
}

/** A stored binding, with its arguments decoded. */
export interface KeptBinding {
  readonly identity: string;
  readonly source: string;
  readonly destination:
    | { readonly kind: 'queue'; readonly topicId: number }
    | { readonly kind: 'exchange'; readonly exchange: string };
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

const protocol = 'amqp';

/**
 * The store of durable exchanges and of bindings from them to durable queues: an attribute of the broker for
 * each. They are attributes and not entries of their own because the broker knows nothing of routing: they
 * are in its journal and in its checkpoints without a line of code there.
 */
export class ExchangeStore {
  readonly #attributes: Attributes;
  readonly #exchangePrefix: string;
  readonly #bindingPrefix: string;

  /** `prefix` is that of the virtual host. */
  constructor(attributes: Attributes, prefix: string) {
    this.#attributes = attributes;
    // Other than for `/`, so that the names of attributes tell which is which.
    const scope = prefix === '' ? '' : `in ${prefix}`;
    this.#exchangePrefix = `${scope}exchange `;
    this.#bindingPrefix = `${scope}binding `;
  }

  /** Resolves when the exchange is on disk. */
  keepExchange({ name, type, autoDelete, internal, arguments: table }: ExchangeDefinition): Promise<void> {
    const stored: StoredExchange = { type, autoDelete, internal, arguments: textOf(table) };
    return this.#attributes.set(protocol, this.#exchangePrefix + name, stored);
  }

  forgetExchange(name: string): Promise<void> {
    return this.#attributes.set(protocol, this.#exchangePrefix + name, undefined);
  }

  /** Resolves when the binding is on disk. */
  keepBinding({ source, destination, routingKey, arguments: table, identity }: Binding): Promise<void> {
    const stored: StoredBinding = {
      source: source.name,
      ...(destination.kind === 'queue'
        ? { topic: destination.topic.id }
        : { exchange: destination.exchange.name }),
      routingKey,
      arguments: textOf(table),
    };
    return this.#attributes.set(protocol, this.#bindingPrefix + identity, stored);
  }

  forgetBinding({ identity }: Pick<Binding, 'identity'>): Promise<void> {
    return this.#attributes.set(protocol, this.#bindingPrefix + identity, undefined);
  }

  /** Resolves when all exchanges and bindings are gone from disk. */
  async forgetAll(): Promise<void> {
    const names = [...this.#attributes.names(protocol)].filter(
      (name) => name.startsWith(this.#exchangePrefix) || name.startsWith(this.#bindingPrefix),
    );
    await Promise.all(names.map((name) => this.#attributes.set(protocol, name, undefined)));
  }

  exchanges(): ExchangeDefinition[] {
    return this.#values<StoredExchange>(this.#exchangePrefix).flatMap(([name, { type, ...stored }]) =>
      exchangeTypes.includes(type)
        ? [{ ...stored, name, type, durable: true, arguments: tableOf(stored.arguments) }]
        : [],
    );
  }

  bindings(): KeptBinding[] {
    return this.#values<StoredBinding>(this.#bindingPrefix).map(
      ([identity, { source, topic, exchange, ...stored }]) => ({
        identity,
        source,
        destination:
          topic === undefined
            ? { kind: 'exchange', exchange: exchange ?? '' }
            : { kind: 'queue', topicId: topic },
        routingKey: stored.routingKey,
        arguments: tableOf(stored.arguments),
      }),
    );
  }

  #values<T>(prefix: string): [name: string, value: T][] {
    return [...this.#attributes.names(protocol)].flatMap((name) =>
      name.startsWith(prefix)
        ? [[name.slice(prefix.length), this.#attributes.get(protocol, name) as T] as const]
        : [],
    ) as [string, T][];
  }
}

/** Whether a queue survives a restart, so that its bindings are stored. */
export function isDurableQueue(topic: Topic): boolean {
  return topic.config.durability === 'disk';
}

function textOf(table: FieldTable): string {
  return encodeTable(table).toString('base64');
}

function tableOf(text: string): FieldTable {
  return readTable(new Reader(Buffer.from(text, 'base64')));
}
