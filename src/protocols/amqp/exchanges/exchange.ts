import type { FieldTable } from '../../../wire/amqp/index.ts';
import { shownExchange } from '../errors.ts';
import type { Binding } from './binding.ts';
import { DirectRouting } from './direct-routing.ts';
import { FanoutRouting } from './fanout-routing.ts';
import { HeadersRouting } from './headers-routing.ts';
import type { ExchangeType, Routing } from './routing.ts';
import { TopicRouting } from './topic-routing.ts';

/** The definition of an exchange. */
export interface ExchangeDefinition {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  /** It is deleted when its last binding is removed. */
  readonly autoDelete: boolean;
  /** Clients may not publish to it, only exchanges. */
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

const routings: { readonly [T in ExchangeType]: new () => Routing } = {
  direct: DirectRouting,
  fanout: FanoutRouting,
  topic: TopicRouting,
  headers: HeadersRouting,
};

/** An exchange routes messages to queues and to other exchanges, by its bindings. It stores nothing. */
export class Exchange {
  readonly definition: ExchangeDefinition;
  readonly routing: Routing;
  /** Bindings from this exchange, by identity. */
  readonly bindings: Map<string, Binding> = new Map();
  /** Bindings from other exchanges to this one. */
  readonly incoming: Set<Binding> = new Set();

  /** `exchange 'logs' in vhost '/'` */
  readonly shown: string;

  /** `shown` are the words for it in errors. */
  constructor(definition: ExchangeDefinition, shown: string = shownExchange(definition.name)) {
    this.definition = definition;
    this.shown = shown;
    this.routing = new routings[definition.type]();
  }

  get name(): string {
    return this.definition.name;
  }

  /** Whether the exchange was there from the beginning and cannot be deleted. */
  get isPredeclared(): boolean {
    return this.name === '' || this.name.startsWith('amq.');
  }

  /** The exchange that gets messages without a route. */
  get alternate(): string | undefined {
    const name = this.definition.arguments.get('alternate-exchange');
    return typeof name === 'string' ? name : undefined;
  }
}
