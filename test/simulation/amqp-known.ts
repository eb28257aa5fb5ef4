import type { WireAnswer } from './amqp-facts.ts';
import type { DeliveryKnown, GroupKnown, Instance, PublishKnown } from './facts.ts';

/** A delivery on its way to an AMQP client, and there. */
export interface WireDelivery {
  readonly group: GroupKnown;
  readonly delivery: DeliveryKnown;
  /** The event of the delivery, and how many there were. */
  readonly at: number;
  readonly count: number;
  /** Undefined: of a get. */
  readonly consumer: ConsumerKnown | undefined;
  /** The channel that it came on, and its tag there. */
  channel?: ChannelKnown;
  tag?: number;
  asked?: { readonly at: number; readonly answer: WireAnswer | 'release'; readonly tx?: number };
}

interface ConsumerKnown {
  readonly channel: ChannelKnown;
  readonly prefetch: number;
  readonly noAck: boolean;
  /** Deliveries that the client has yet to get, in order. */
  readonly coming: WireDelivery[];
}

/** The clients' knowledge of a channel. */
export class ChannelKnown {
  readonly number: number;
  lastTag = 0;
  /** Unanswered deliveries, by tag. */
  readonly unacked: Map<number, WireDelivery> = new Map();
  /** Deliveries that were answered, and of which it is not known that the server has got there. */
  asked: WireDelivery[] = [];
  /** The limit that it surely has; 0: none. And those that were asked for, of which that is not known. */
  prefetch = 0;
  readonly limits: { readonly at: number; readonly prefetch: number }[] = [];
  mayEnd = false;
  recoveries = 0;
  /** Mandatory messages without a route that have yet to come back. */
  readonly lost: Map<number, number> = new Map();

  constructor(number: number) {
    this.number = number;
  }
}

/** A transaction of AMQP: it was not asked for yet, or it was, or it is over. */
export interface TxKnown {
  state: 'open' | 'asked' | 'committed' | 'partial' | 'dropped';
  askedAt: number;
  readonly publishes: PublishKnown[];
  readonly answers: WireDelivery[];
}

/** Where the dead letters of a queue go, and since which event. */
interface LetterRoute {
  readonly to: readonly string[] | undefined;
  readonly since: number;
}

/** What AMQP clients know besides what all clients know. */
export class AmqpKnown {
  readonly #channels = new Map<number, ChannelKnown>();
  readonly consumers: Map<number, ConsumerKnown> = new Map();
  /** Gets of this run, by group: whether one asked for no ack, and the messages on their way. */
  readonly gets: Map<string, { mayNotAck: boolean; readonly coming: WireDelivery[] }> = new Map();
  /** The last delivery of each message, if it went to an AMQP client. */
  readonly deliveries: Map<DeliveryKnown, WireDelivery> = new Map();
  readonly #transactions = new Map<number, TxKnown>();
  /** Mandatory messages that some queue gets. */
  readonly routed: Set<number> = new Set();
  /** By topic. */
  readonly letterRoutes: Map<string, LetterRoute> = new Map();
  /** Messages that are gone since the last look, with their queues. */
  died: Instance[] = [];

  channel(number: number): ChannelKnown {
    let channel = this.#channels.get(number);
    if (!channel) this.#channels.set(number, (channel = new ChannelKnown(number)));
    return channel;
  }

  transaction(number: number): TxKnown {
    let tx = this.#transactions.get(number);
    if (!tx) {
      tx = { state: 'open', askedAt: -1, publishes: [], answers: [] };
      this.#transactions.set(number, tx);
    }
    return tx;
  }

  get transactions(): Iterable<TxKnown> {
    return this.#transactions.values();
  }

  /** The process is gone, and with it the connections. */
  ended(): void {
    this.#channels.clear();
    this.consumers.clear();
    this.gets.clear();
    this.deliveries.clear();
    for (const tx of this.#transactions.values()) if (tx.state === 'open') tx.state = 'dropped';
  }
}
