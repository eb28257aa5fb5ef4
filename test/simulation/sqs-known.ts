import type { SqsAsk } from './sqs-facts.ts';
import { letterQueues, type SqsEntry, type SqsTraits } from './sqs-script.ts';

/** The five minutes in which SQS knows a deduplication id, or an attempt to receive. */
export const windowMs = 300_000;

/** The clients' knowledge of a message that was sent. */
export interface SqsMessageKnown {
  readonly entry: SqsEntry;
  readonly queue: string;
  readonly askedAt: number;
  readonly askedMs: number;
  readonly askedRun: number;
  /**
   * `asked`: without an answer, it may be stored; `sent`: it is stored; `duplicate`: another one is, and it
   * is not; `refused`: it is not stored.
   */
  state: 'asked' | 'sent' | 'duplicate' | 'refused';
  toldAt: number;
  messageId: string | undefined;
  sequence: string | undefined;
  /** It was surely deleted; the event of the answer. */
  deletedAt: number | undefined;
  /** It may be gone, for a reason that nobody can tell from the answers. */
  mayBeGone: boolean;
  /** It may have moved to a dead-letter queue, or from there. */
  mayHaveMoved: boolean;
  last: ReceiveKnown | undefined;
}

/** The clients' knowledge of a receive of a message. */
export interface ReceiveKnown {
  readonly receipt: number;
  readonly message: SqsMessageKnown;
  readonly queue: string;
  readonly askedAt: number;
  readonly toldAt: number;
  readonly toldMs: number;
  readonly run: number;
  readonly count: number;
  /** Before this time nobody else gets the message. */
  hiddenUntilMs: number;
  /** After this time it surely is no longer in flight. */
  hiddenUntilMsMax: number;
  /** Its deletion was asked for. */
  deleteAskedAt: number;
  /** The process died before the receive was surely stored. */
  isDoubtful: boolean;
}

/** A request without an answer yet. */
export interface OpenAsk {
  readonly ask: SqsAsk;
  readonly at: number;
  readonly ms: number;
}

export class SqsQueueKnown {
  readonly name: string;
  traits: SqsTraits | undefined = undefined;
  /** The event of the answer. */
  createdAt: number | undefined = undefined;
  /** A receive may have got messages of which nobody heard: the event. */
  lostReceiveAt = -1;
  /** The last move task that was asked for from or to it. */
  movedAt = -1;
  purgedAt = -1;
  /** When attempts to receive were last used, by their names. */
  readonly attempts: Map<string, number> = new Map();

  constructor(name: string) {
    this.name = name;
  }
}

/** What SQS clients know. */
export class SqsKnown {
  readonly messages: Map<number, SqsMessageKnown> = new Map();
  readonly receives: Map<number, ReceiveKnown> = new Map();
  /** In the order of their requests, by queue and group. */
  readonly byGroup: Map<string, SqsMessageKnown[]> = new Map();
  readonly #queues = new Map<string, SqsQueueKnown>();
  readonly open: Map<number, OpenAsk> = new Map();
  /** The time of the last event that is surely on disk. */
  writtenMs = 0;
  /** The disk did not return its content: messages may be missing. */
  isDamaged = false;

  queue(name: string): SqsQueueKnown {
    let queue = this.#queues.get(name);
    if (!queue) this.#queues.set(name, (queue = new SqsQueueKnown(name)));
    return queue;
  }

  get queues(): Iterable<SqsQueueKnown> {
    return this.#queues.values();
  }
}

/** Times are told in whole milliseconds, and a step of the machine takes up to one. */
export const slackMs = 3;

/** Refusals that say nothing of the request: the log has failed, or has no room. */
export function isOfServer(code: string): boolean {
  return code === 'ServiceUnavailable' || code === 'InternalFailure';
}

/** Whether a message may be in a queue now. */
export function mayBeIn(
  { queue, mayHaveMoved = false }: { readonly queue: string; readonly mayHaveMoved?: boolean },
  name: string,
): boolean {
  return queue === name || letterQueues[queue] === name || mayHaveMoved;
}
