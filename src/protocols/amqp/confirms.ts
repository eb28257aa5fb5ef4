import { BrokerError, type PublishListener } from '../../broker/index.ts';
import { noteRefusal } from '../refusal-counts.ts';

/** Writes the answers to publishes. */
export interface ConfirmsHost {
  ack(tag: number, multiple: boolean): void;
  nack(tag: number): void;
}

/**
 * The confirms of a channel. Publishes are numbered from 1. All that one commit has made durable is answered
 * by as few acks as possible: one, if every publish up to its number is done.
 */
export class Confirms implements PublishListener<number> {
  readonly #host: ConfirmsHost;
  #lastTag = 0;
  /** All tags up to this one are answered. */
  #answered = 0;
  /** All tags up to this one are answered, or done: publishes are mostly done one after the other. */
  #doneUpTo = 0;
  /** Tags beyond that are done and not answered, or answered. */
  readonly #done = new Set<number>();
  readonly #early = new Set<number>();
  #isScheduled = false;

  constructor(host: ConfirmsHost) {
    this.#host = host;
  }

  /** Publishes without an answer. */
  get unconfirmed(): number {
    return this.#lastTag - this.#doneUpTo - this.#done.size - this.#early.size;
  }

  /** The number of the next publish. */
  next(): number {
    return ++this.#lastTag;
  }

  published(tag: number): void {
    if (tag === this.#doneUpTo + 1) this.#doneUpTo = tag;
    else this.#done.add(tag);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Runs when the commit has told all of its publishers.
    queueMicrotask(() => this.#answer());
  }

  /** The publish was refused, or could not be stored. */
  refused(tag: number, error?: Error): void {
    if (error instanceof BrokerError) noteRefusal('amqp', error);
    this.#answer();
    this.#host.nack(tag);
    this.#early.add(tag);
    this.#answer();
  }

  #answer(): void {
    this.#isScheduled = false;
    for (let isMore = true; isMore;) {
      while (this.#done.size > 0 && this.#done.delete(this.#doneUpTo + 1)) this.#doneUpTo++;
      const covers = this.#doneUpTo - this.#answered;
      if (covers > 0) this.#host.ack(this.#doneUpTo, covers > 1);
      let upTo = this.#doneUpTo;
      while (this.#early.size > 0 && this.#early.delete(upTo + 1)) upTo++;
      // A publish behind the answered ones may have been waited for.
      isMore = upTo > this.#doneUpTo && this.#done.has(upTo + 1);
      this.#answered = this.#doneUpTo = upTo;
    }
    for (const tag of this.#done) {
      this.#host.ack(tag, false);
      this.#early.add(tag);
    }
    this.#done.clear();
  }
}

/** A publish to several queues is done when it is in all of them. */
export const toAll = {
  published: ({
    listener,
    tag,
  }: {
    readonly listener: PublishListener<number>;
    readonly tag: number;
  }): void => listener.published(tag, 0, 0, false),
  refused: (
    { listener, tag }: { readonly listener: PublishListener<number>; readonly tag: number },
    error: Error,
  ): void => listener.refused(tag, error),
};
