import { encodeTable, type FieldTable } from '../../../wire/amqp/index.ts';
import { shownExchange } from '../errors.ts';
import { alternateOf, type HeldPolicies, type Policies } from '../policies/index.ts';
import type { Random } from '../../../util/index.ts';
import type { Binding } from './binding.ts';
import { ConsistentHashRouting } from './consistent-hash-routing.ts';
import { delayedType } from './delayed-exchange.ts';
import { DirectRouting } from './direct-routing.ts';
import { FanoutRouting } from './fanout-routing.ts';
import { HeadersRouting } from './headers-routing.ts';
import { RandomRouting } from './random-routing.ts';
import { chargeOf } from './routing-budget.ts';
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

/** The policies over an exchange, and its virtual host. */
interface Governed {
  readonly policies: Policies;
  readonly vhost: string;
}

type RoutingOf = (table: FieldTable, random: Random) => Routing;

const routings: { readonly [T in ExchangeType]: RoutingOf } = {
  direct: () => new DirectRouting(),
  fanout: () => new FanoutRouting(),
  topic: () => new TopicRouting(),
  headers: () => new HeadersRouting(),
  'x-consistent-hash': (table) => new ConsistentHashRouting(table),
  'x-random': (_, random) => new RandomRouting(random),
  // All queues are local.
  'x-local-random': (_, random) => new RandomRouting(random),
  'x-delayed-message': (table, random) => routings[delayedType(table)](table, random),
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
  /** Its charge in the routing budget: none if it was there from the beginning. */
  readonly charge: number;

  readonly #governed: Governed;
  /** What held when the policies had this generation. */
  #held: { readonly generation: number; readonly held: HeldPolicies } | undefined = undefined;

  /** Throws an AmqpError if the type cannot have these arguments. */
  constructor(definition: ExchangeDefinition, random: Random, governed: Governed) {
    this.definition = definition;
    this.#governed = governed;
    this.shown = shownExchange(definition.name, governed.vhost);
    this.routing = routings[definition.type](definition.arguments, random);
    this.charge = this.isPredeclared ? 0 : chargeOf(encodeTable(definition.arguments));
  }

  get name(): string {
    return this.definition.name;
  }

  /** Whether messages with the header `x-delay` are delayed. */
  get delays(): boolean {
    return this.definition.type === 'x-delayed-message';
  }

  /** Whether the exchange was there from the beginning and cannot be deleted. */
  get isPredeclared(): boolean {
    return this.name === '' || this.name.startsWith('amq.');
  }

  /** The exchange that gets messages without a route: its own argument holds against a policy. */
  get alternate(): string | undefined {
    const name = this.definition.arguments.get('alternate-exchange');
    if (typeof name === 'string') return name;
    const { definition } = this.policies;
    return definition && alternateOf(definition);
  }

  /** The policies that hold for it now. */
  get policies(): HeldPolicies {
    const { policies, vhost } = this.#governed;
    if (this.#held?.generation !== policies.generation) {
      const held = policies.of({ vhost, name: this.name, kind: 'exchange' });
      this.#held = { generation: policies.generation, held };
    }
    return this.#held.held;
  }
}
