import { Choices } from './random-choice.ts';
import type { Action, Operation, PlannedMessage, Script } from './script.ts';
import type { WireAnswer } from './amqp-facts.ts';

/** A channel of a client: one with confirms, one with transactions, and one that hears nothing. */
export type ChannelKind = 'confirm' | 'tx' | 'plain';

interface OnChannel {
  readonly who: string;
  readonly channel: ChannelKind;
}

/** What a queue is declared with. */
export interface QueueTraits {
  readonly lengthMax?: number;
  readonly overflow?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  readonly ttlMs?: number;
  readonly priorityMax?: number;
  readonly isSingle?: true;
  readonly deliveryLimit?: number;
  readonly retryMs?: number;
  /** The exchange of its dead letters, or `''` for the queue of that key. */
  readonly letters?: { readonly exchange: string; readonly key?: string };
}

/** Steps of AMQP clients. */
export type AmqpStep =
  | { readonly kind: 'declare'; readonly queue: string; readonly traits: QueueTraits }
  | { readonly kind: 'delete-queue'; readonly queue: string }
  | { readonly kind: 'purge'; readonly queue: string }
  | { readonly kind: 'declare-exchange' | 'delete-exchange'; readonly exchange: string }
  | {
      readonly kind: 'bind' | 'unbind';
      readonly exchange: string;
      readonly queue: string;
      readonly key: string;
    }
  | ({
      readonly kind: 'publish';
      readonly exchange: string;
      readonly key: string;
      readonly mandatory: boolean;
    } & OnChannel)
  | ({
      readonly kind: 'consume';
      readonly queue: string;
      readonly prefetch: number;
      readonly noAck: boolean;
    } & OnChannel)
  | ({ readonly kind: 'cancel'; readonly pick: number } & OnChannel)
  | ({
      readonly kind: 'answer';
      readonly answer: WireAnswer;
      /** Which of the unanswered deliveries, as a share of their list in [0, 1). */
      readonly pick: number;
      readonly multiple: boolean;
      readonly count: number;
    } & OnChannel)
  | ({ readonly kind: 'get'; readonly queue: string; readonly noAck: boolean } & OnChannel)
  | ({ readonly kind: 'recover' | 'close-channel' | 'mistake' } & OnChannel)
  | ({ readonly kind: 'limit'; readonly prefetch: number } & OnChannel)
  | { readonly kind: 'end-tx'; readonly who: string; readonly outcome: 'commit' | 'rollback' }
  | { readonly kind: 'close'; readonly who: string; readonly isAbrupt: boolean };

/** The type of an exchange follows from its name. */
export const exchanges = { d: 'direct', f: 'fanout', t: 'topic', dlx: 'fanout' } as const;
export type ExchangeName = keyof typeof exchanges;
/** The queues that messages are published to; and that of dead letters. */
const queues = ['q1', 'q2', 'q3', 'q4'];
export const lettersQueue = 'dead';
const allQueues = [...queues, lettersQueue];
const clients = ['a', 'b'];
const keys = ['k.1', 'k.2', 'k.2.x', 'j.1'];
const patterns = ['k.*', 'k.#', '#', '*.1', 'j.1'];

const usual = {
  declare: 2,
  'delete-queue': 0.6,
  purge: 0.7,
  'declare-exchange': 1,
  'delete-exchange': 0.3,
  bind: 3,
  unbind: 1,
  publish: 30,
  consume: 7,
  cancel: 1.5,
  answer: 30,
  get: 5,
  recover: 1,
  'close-channel': 1.5,
  mistake: 0.5,
  limit: 1,
  'end-tx': 7,
  close: 1,
} as const satisfies { readonly [K in AmqpStep['kind']]: number };

/** A life with the machine of that script, and AMQP clients that do things of their own. */
export function overAmqp(script: Script): Script {
  return new AmqpScript(script).script();
}

class AmqpScript {
  readonly #script: Script;
  readonly #c: Choices;
  readonly #scenes: Choices;
  readonly #weights: { [K in AmqpStep['kind']]: number };
  readonly #traits = new Map<string, QueueTraits>();
  /** Most publishes and answers are those of one kind of channel. */
  readonly #favourite: ChannelKind;
  #lastId = 0;

  constructor(script: Script) {
    this.#script = script;
    const c = (this.#c = new Choices(script.seed + 5));
    this.#scenes = new Choices(script.seed + 6);
    this.#weights = { ...usual };
    for (const kind of Object.keys(usual) as AmqpStep['kind'][]) {
      if (kind === 'publish' || kind === 'answer' || kind === 'consume') continue;
      if (c.percent(12)) this.#weights[kind] = 0;
      else if (c.percent(15)) this.#weights[kind] *= 4;
    }
    this.#favourite = c.of(['confirm', 'confirm', 'tx', 'tx', 'plain'] as const);
    for (const queue of queues) this.#traits.set(queue, this.#queue());
    this.#traits.set(lettersQueue, {});
  }

  script(): Script {
    const steps: readonly AmqpStep[] = [
      ...Object.keys(exchanges).map((exchange) => ({ kind: 'declare-exchange', exchange }) as const),
      ...allQueues.slice(this.#c.between(0, 2)).map((queue) => this.#declare(queue)),
      { kind: 'bind', exchange: 'dlx', queue: lettersQueue, key: '' },
      ...queues.map(() => this.#binding('bind')),
      ...queues.map((queue) => this.#consume(queue)),
    ];
    let turn = this.#script.seed * 1000 + 500;
    const first = steps.map((step): Operation => ({
      kind: 'amqp',
      step,
      steps: this.#c.percent(70) ? -1 : this.#c.between(0, 10),
      turn: turn++,
    }));
    const crashes = this.#crashesInCommits();
    const rest = this.#script.operations.flatMap((operation, at): Operation[] => {
      const scene = crashes.has(at) ? this.#crashInCommit(operation.turn) : [];
      if (isOfMachine(operation)) return [...scene, operation];
      const { turn, steps, sync } = operation;
      return [...scene, { ...this.#action(), turn, steps, ...(sync === undefined ? {} : { sync }) }];
    });
    return { ...this.#script, door: 'amqp', operations: [...first, ...rest] };
  }

  /** Before these operations the process dies while a transaction is committed. */
  #crashesInCommits(): Set<number> {
    const c = this.#scenes;
    const count = c.percent(40) ? c.between(1, 2) : 0;
    return new Set(Array.from({ length: count }, () => c.between(0, this.#script.operations.length - 1)));
  }

  /** A transaction that acks what it has got, and publishes; and the process dies as it commits. */
  #crashInCommit(turn: number): Operation[] {
    const c = this.#scenes;
    const [who, from, to] = [c.of(clients), c.of(queues), c.of(queues)];
    const on = { who, channel: 'tx' } as const;
    const publish = (channel: ChannelKind, key: string): Action => {
      const step = { kind: 'publish', who, channel, exchange: '', key, mandatory: false } as const;
      return { kind: 'amqp', step, messages: this.#copies(step) };
    };
    const commit: Action = { kind: 'amqp', step: { kind: 'end-tx', who, outcome: 'commit' } };
    const before: Action[] = [
      commit,
      publish('confirm', from),
      { kind: 'amqp', step: { kind: 'consume', ...on, queue: from, prefetch: 0, noAck: false } },
      publish('tx', to),
      { kind: 'amqp', step: { kind: 'answer', ...on, answer: 'ack', pick: 0.999, multiple: true, count: 1 } },
    ];
    return [
      ...before.map((action, at): Operation => ({ ...action, steps: -1, turn: turn + 100_000 + at })),
      { ...commit, steps: c.between(0, 12), turn: turn + 100_010 },
      {
        kind: 'crash',
        power: c.percent(50),
        downMs: 1,
        again: [],
        look: true,
        steps: -1,
        turn: turn + 100_011,
      },
    ];
  }

  #action(): Action {
    const c = this.#c;
    const kind = c.weighted(this.#weights);
    if (kind === 'publish') return this.#publish();
    return { kind: 'amqp', step: this.#step(kind) };
  }

  #step(kind: Exclude<AmqpStep['kind'], 'publish'>): AmqpStep {
    const c = this.#c;
    switch (kind) {
      case 'declare':
        return this.#declare(c.of(allQueues));
      case 'delete-queue':
      case 'purge':
        return { kind, queue: c.percent(85) ? c.of(queues) : lettersQueue };
      case 'declare-exchange':
      case 'delete-exchange':
        return { kind, exchange: c.of(['d', 'f', 't']) };
      case 'bind':
      case 'unbind':
        return this.#binding(kind);
      case 'consume':
        return this.#consume(c.of(allQueues));
      case 'cancel':
        return { kind, ...this.#channel(), pick: c.random.next() };
      case 'answer':
        return {
          kind,
          ...this.#channel(),
          answer: c.of(['ack', 'ack', 'ack', 'requeue', 'reject'] as const),
          pick: c.percent(50) ? 0 : c.random.next(),
          multiple: c.percent(30),
          count: c.percent(60) ? 1 : c.between(2, 20),
        };
      case 'get':
        return { kind, ...this.#channel(), queue: c.of(allQueues), noAck: c.percent(20) };
      case 'recover':
      case 'close-channel':
      case 'mistake':
        return { kind, ...this.#channel() };
      case 'limit':
        return { kind, ...this.#channel(), prefetch: c.of([0, 1, 3, 10]) };
      case 'end-tx':
        return { kind, who: c.of(clients), outcome: c.percent(75) ? 'commit' : 'rollback' };
      case 'close':
        return { kind, who: c.of(clients), isAbrupt: c.percent(60) };
      default:
        return kind satisfies never;
    }
  }

  /** Now and then a queue is declared with something else: that is refused if it is there. */
  #declare(queue: string): AmqpStep {
    if (queue !== lettersQueue && this.#c.percent(10)) this.#traits.set(queue, this.#queue());
    return { kind: 'declare', queue, traits: this.#traits.get(queue)! };
  }

  #queue(): QueueTraits {
    const c = this.#c;
    return {
      ...c.maybe(25, () => ({
        lengthMax: c.between(1, 12),
        overflow: c.of(['drop-head', 'drop-head', 'reject-publish', 'reject-publish-dlx'] as const),
      })),
      ...c.maybe(12, () => ({ ttlMs: c.of([20, 200, 5000]) })),
      ...c.maybe(15, () => ({ priorityMax: c.between(1, 5) })),
      ...c.maybe(15, () => ({ isSingle: true }) as const),
      ...c.maybe(20, () => ({ deliveryLimit: c.between(0, 3) })),
      ...c.maybe(10, () => ({ retryMs: c.of([5, 50, 1000]) })),
      ...c.maybe(60, () => ({
        letters: c.percent(60) ? { exchange: 'dlx' } : { exchange: '', key: lettersQueue },
      })),
    };
  }

  #binding(kind: 'bind' | 'unbind'): AmqpStep {
    const c = this.#c;
    const exchange = c.of(['d', 'f', 'f', 't']);
    const key = exchange === 't' ? c.of(patterns) : exchange === 'd' ? c.of(keys) : '';
    return { kind, exchange, queue: c.of(queues), key };
  }

  #consume(queue: string): AmqpStep {
    const c = this.#c;
    const noAck = c.percent(8);
    return { kind: 'consume', ...this.#channel(), queue, prefetch: c.of([0, 1, 2, 5, 20]), noAck };
  }

  #channel(): OnChannel {
    const c = this.#c;
    const channel = c.percent(60) ? this.#favourite : c.of(['confirm', 'tx', 'plain'] as const);
    return { who: c.of(clients), channel };
  }

  #publish(): Action {
    const c = this.#c;
    const exchange = c.of(['', '', 'd', 'f', 'f', 't']);
    const key = exchange === '' ? c.of(queues) : c.of(keys);
    const { who, channel } = this.#channel();
    const count = c.percent(60) ? 1 : c.between(2, c.percent(20) ? 20 : 6);
    const step: AmqpStep = { kind: 'publish', who, channel, exchange, key, mandatory: c.percent(30) };
    const messages = Array.from({ length: count }, () => this.#copies(step)).flat();
    return { kind: 'amqp', step, messages };
  }

  /** One message under the names that it has in each queue. */
  #copies({ exchange, key, who, channel }: Extract<AmqpStep, { kind: 'publish' }>): PlannedMessage[] {
    const c = this.#c;
    const copyOf = this.#lastId + 1;
    const message = {
      key: exchange === '' ? null : key,
      bytes: c.percent(4) ? c.between(1000, 9000) : c.between(0, 120),
      isBare: true,
      producer: `${who}.${channel}`,
      copies: Object.fromEntries(allQueues.map((queue, at) => [queue, copyOf + at])),
      copyOf,
      ...c.maybe(10, () => ({ ttlMs: c.of([5, 50, 500, 30_000]) })),
      ...c.maybe(20, () => ({ priority: c.between(1, 5) })),
    };
    return allQueues.map(() => ({ id: ++this.#lastId, ...message }));
  }
}

function isOfMachine({ kind }: Action): boolean {
  return ['wait', 'checkpoint', 'compact', 'stop', 'crash', 'fault'].includes(kind);
}
