import { Choices } from './random-choice.ts';
import type { Action, Operation, Script } from './script.ts';

/** A queue as it is created. Times are in seconds. */
export interface SqsTraits {
  readonly visibility: number;
  readonly delay: number;
  /** Of a FIFO queue: each group has deduplication ids of its own. */
  readonly isScoped?: true;
  readonly receivesMax?: number;
}

/** A message that is sent. Its body follows from its name (see sqs-message.ts). */
export interface SqsEntry {
  readonly name: number;
  readonly bytes: number;
  readonly delay?: number;
  readonly group?: string;
  readonly dedupeId?: string;
}

/** Steps of SQS clients. `pick`: which of the receipts, as a share of their list in [0, 1). */
export type SqsStep =
  | { readonly kind: 'create'; readonly queue: string; readonly traits: SqsTraits }
  | {
      readonly kind: 'send';
      readonly queue: string;
      readonly isBatch: boolean;
      readonly entries: readonly SqsEntry[];
    }
  | {
      readonly kind: 'receive';
      readonly queue: string;
      readonly max: number;
      readonly wait: number;
      readonly visibility?: number;
      /** ReceiveRequestAttemptId. */
      readonly attempt?: string;
    }
  | { readonly kind: 'delete'; readonly pick: number; readonly count: number; readonly hasForged: boolean }
  | { readonly kind: 'change'; readonly pick: number; readonly count: number; readonly seconds: number }
  | { readonly kind: 'purge'; readonly queue: string }
  /** A move task to the queues where the messages came from, or to one of them. */
  | { readonly kind: 'move'; readonly source: string; readonly destination?: string; readonly rate?: number }
  | { readonly kind: 'cancel-move' }
  /** Clients go, while their receives wait. */
  | { readonly kind: 'leave' };

/** The dead-letter queue of each queue that has one. */
export const letterQueues: { readonly [queue: string]: string } = {
  s2: 'dead',
  s3: 'dead',
  'f2.fifo': 'dead.fifo',
};
const standardQueues = ['s1', 's2', 's3'];
const fifoQueues = ['f1.fifo', 'f2.fifo'];
const letters = ['dead', 'dead.fifo'];
export const sqsQueues: readonly string[] = [...letters, ...standardQueues, ...fifoQueues];
const groups = ['g1', 'g2', 'g3'];

export function isFifoName(queue: string): boolean {
  return queue.endsWith('.fifo');
}

const usual = {
  create: 1,
  send: 26,
  receive: 24,
  delete: 20,
  change: 6,
  purge: 0.5,
  move: 2.5,
  'cancel-move': 0.5,
  leave: 1,
} as const satisfies { readonly [K in SqsStep['kind']]: number };

/** A life with the machine of that script, and SQS clients that do things of their own. */
export function overSqs(script: Script): Script {
  return new SqsScript(script).script();
}

class SqsScript {
  readonly #script: Script;
  readonly #c: Choices;
  readonly #weights: { [K in SqsStep['kind']]: number };
  readonly #traits = new Map<string, SqsTraits>();
  readonly #dedupeIds: string[] = [];
  /** Most steps are of these. */
  readonly #favourites: readonly string[];
  #lastName = 0;

  constructor(script: Script) {
    this.#script = script;
    const c = (this.#c = new Choices(script.seed + 8));
    this.#weights = { ...usual };
    for (const kind of Object.keys(usual) as SqsStep['kind'][]) {
      if (kind === 'send' || kind === 'receive' || kind === 'delete') continue;
      if (c.percent(15)) this.#weights[kind] = 0;
      else if (c.percent(20)) this.#weights[kind] *= 4;
    }
    this.#favourites = c.of([
      standardQueues,
      fifoQueues,
      ['s2', 'f2.fifo'],
      [...standardQueues, ...fifoQueues],
    ]);
    for (const queue of sqsQueues) this.#traits.set(queue, this.#newTraits(queue));
  }

  script(): Script {
    const scenes = new Choices(this.#script.seed + 9);
    const first = sqsQueues.flatMap((queue, at): Operation[] => {
      const step = { kind: 'create', queue, traits: this.#traits.get(queue)! } as const;
      const steps = this.#c.percent(70) ? -1 : this.#c.between(0, 10);
      const turn = this.#script.seed * 1000 + 500 + at;
      const create: Operation = { kind: 'sqs', step, steps, turn };
      // Two clients create it at the same time.
      return scenes.percent(5) ? [{ ...create, steps: 0, turn: turn + 100 }, create] : [create];
    });
    const rest = this.#script.operations.flatMap((operation): Operation[] => {
      if (isOfMachine(operation)) return [operation];
      const { turn, steps, sync } = operation;
      const passing = this.#c.percent(1) ? [this.#passWindow(turn)] : [];
      return [...passing, { ...this.#action(), turn, steps, ...(sync === undefined ? {} : { sync }) }];
    });
    return { ...this.#script, door: 'sqs', operations: [...first, ...rest] };
  }

  /** Deduplication ids are forgotten after five minutes, and not before. */
  #passWindow(turn: number): Operation {
    return { kind: 'wait', ms: this.#c.of([240_000, 299_000, 301_000]), turn: turn + 100_000, steps: 0 };
  }

  #action(): Action {
    return { kind: 'sqs', step: this.#step(this.#c.weighted(this.#weights)) };
  }

  #step(kind: SqsStep['kind']): SqsStep {
    const c = this.#c;
    switch (kind) {
      case 'create': {
        const queue = c.of(sqsQueues);
        return { kind, queue, traits: this.#traits.get(queue)! };
      }
      case 'send':
        return this.#send();
      case 'receive':
        return this.#receive();
      case 'delete':
        return {
          kind,
          pick: this.#pick(),
          count: c.percent(50) ? 1 : c.between(2, 10),
          hasForged: c.percent(6),
        };
      case 'change': {
        const seconds = c.of([0, 0, 1, 5, 30]);
        return { kind, pick: this.#pick(), count: c.percent(60) ? 1 : c.between(2, 10), seconds };
      }
      case 'purge':
        return { kind, queue: this.#queue() };
      case 'move': {
        const source = c.of(letters);
        return {
          kind,
          source,
          ...c.maybe(30, () => ({ destination: c.of(isFifoName(source) ? fifoQueues : standardQueues) })),
          ...c.maybe(30, () => ({ rate: c.of([1, 20, 500]) })),
        };
      }
      case 'cancel-move':
      case 'leave':
        return { kind };
      default:
        return kind satisfies never;
    }
  }

  /** Mostly the latest ones. */
  #pick(): number {
    const c = this.#c;
    return c.percent(70) ? 0.999 : c.random.next();
  }

  #queue(): string {
    const c = this.#c;
    return c.percent(75) ? c.of(this.#favourites) : c.of(sqsQueues);
  }

  #newTraits(queue: string): SqsTraits {
    const c = this.#c;
    return {
      visibility: c.of([0, 1, 2, 2, 5, 30]),
      delay: c.percent(10) ? c.of([1, 5]) : 0,
      ...(isFifoName(queue) ? c.maybe(25, () => ({ isScoped: true }) as const) : {}),
      ...(letterQueues[queue] === undefined ? {} : { receivesMax: c.between(1, 4) }),
    };
  }

  #send(): SqsStep {
    const c = this.#c;
    const queue = c.percent(90) ? c.of(this.#favourites) : c.of([...standardQueues, ...fifoQueues]);
    const isBatch = c.percent(60);
    const count = isBatch ? c.between(1, 10) : 1;
    const entries = Array.from({ length: count }, () => this.#entry(isFifoName(queue)));
    return { kind: 'send', queue, isBatch, entries };
  }

  #entry(isFifo: boolean): SqsEntry {
    const c = this.#c;
    const name = ++this.#lastName;
    const bytes = c.percent(4) ? c.between(1000, 9000) : c.between(0, 120);
    if (!isFifo) {
      const delay = c.maybe(8, () => ({ delay: c.of([0, 1, 5]) }));
      return { name, bytes, ...delay, ...c.maybe(20, () => ({ group: c.of(groups) })) };
    }
    return { name, bytes, group: c.of(groups), dedupeId: this.#dedupeId() };
  }

  #dedupeId(): string {
    const c = this.#c;
    if (this.#dedupeIds.length > 0 && c.percent(20)) return c.of(this.#dedupeIds.slice(-6));
    const id = `d${this.#dedupeIds.length}`;
    this.#dedupeIds.push(id);
    return id;
  }

  #receive(): SqsStep {
    const c = this.#c;
    const queue = this.#queue();
    return {
      kind: 'receive',
      queue,
      max: c.percent(50) ? 10 : c.between(1, 9),
      wait: c.percent(60) ? 0 : c.of([1, 3, 20]),
      ...c.maybe(25, () => ({ visibility: c.of([0, 1, 5, 30]) })),
      ...(isFifoName(queue) ? c.maybe(15, () => ({ attempt: c.of(['a1', 'a2']) })) : {}),
    };
  }
}

function isOfMachine({ kind }: Action): boolean {
  return ['wait', 'checkpoint', 'compact', 'stop', 'crash', 'fault'].includes(kind);
}
