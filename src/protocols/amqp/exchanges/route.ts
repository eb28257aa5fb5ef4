import type { Topic } from '../../../broker/index.ts';
import { AmqpError } from '../errors.ts';
import { delayOf } from './delayed-exchange.ts';
import { Effort } from './effort.ts';
import type { Exchange } from './exchange.ts';
import type { Routed } from './routing.ts';

/** The queues that a message goes to. */
export interface Route {
  readonly topics: readonly Topic[];
  /** The queues that it goes to after the delay that it asks for. */
  readonly delayed: readonly Topic[];
  /** Whether all messages with these routing keys have the same route. */
  readonly isOfKey: boolean;
}

/** The reach of a message: the exchanges that it has come to, and the queues, each once. */
export class Reach {
  readonly effort: Effort = new Effort();
  readonly #exchanges: ReadonlyMap<string, Exchange>;
  readonly #message: Routed;
  readonly #now = new Reached();
  readonly #later = new Reached();
  readonly #queuesMax: number;
  #isOfKey = true;

  /** `exchanges` are those of the virtual host, by name. */
  constructor(exchanges: ReadonlyMap<string, Exchange>, message: Routed, queuesMax: number = Infinity) {
    this.#exchanges = exchanges;
    this.#message = message;
    this.#queuesMax = queuesMax;
  }

  route(): Route {
    return {
      topics: [...this.#now.topics],
      delayed: [...this.#later.topics],
      isOfKey: this.#isOfKey,
    };
  }

  /** Follows the message into an exchange. Throws PRECONDITION_FAILED when that is too much work. */
  visit(exchange: Exchange): void {
    this.#visit(exchange, this.#now);
  }

  #visit(exchange: Exchange, from: Reached): void {
    // Behind an exchange that delays it, the message arrives later everywhere.
    const delays = exchange.delays && delayOf(this.#message.headers()) > 0;
    const reached = delays ? this.#later : from;
    if (reached.exchanges.has(exchange)) return;
    reached.exchanges.add(exchange);
    this.effort.spend(1);
    if (exchange.delays || !exchange.routing.isOfKey) this.#isOfKey = false;
    let hasMatched = false;
    exchange.routing.match(this.#message, this.effort, ({ destination }) => {
      hasMatched = true;
      if (destination.kind === 'exchange') return this.#visit(destination.exchange, reached);
      if (reached.topics.size >= this.#queuesMax)
        throw new AmqpError('PRECONDITION_FAILED', `more than ${this.#queuesMax} queues are reached`);
      reached.topics.add(destination.topic);
    });
    const alternate = hasMatched ? undefined : this.#exchanges.get(exchange.alternate ?? '');
    if (alternate) this.#visit(alternate, reached);
  }
}

/** What a message has reached, at once or after its delay. */
class Reached {
  readonly topics = new Set<Topic>();
  readonly exchanges = new Set<Exchange>();
}
