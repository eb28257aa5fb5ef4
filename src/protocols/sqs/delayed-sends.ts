import type { Topic } from '../../broker/index.ts';

/** What the sender of a delayed message was told. */
export interface DelayedSend {
  readonly place: string;
  readonly sequence: number;
}

/** Messages that are remembered; the oldest are forgotten first. Some 200 bytes each. */
const rememberedMax = 10_000;

/**
 * The delayed messages of FIFO queues by their deduplication ids, so that a duplicate is answered with the id
 * of the original. The broker knows the offset of an original, which a delayed message does not have yet.
 * They are not stored: after a restart a duplicate is still dropped, and answered with another id.
 */
export class DelayedSends {
  readonly #sends = new Map<string, DelayedSend>();
  readonly #lastSequences = new WeakMap<Topic, number>();

  /**
   * The number of the next delayed message of a queue, which has no offset yet: `expected`, the offset behind
   * all that are delayed, unless a purge has removed some of these.
   */
  nextSequence(topic: Topic, expected: number): number {
    const sequence = Math.max(expected, (this.#lastSequences.get(topic) ?? -1) + 1);
    this.#lastSequences.set(topic, sequence);
    return sequence;
  }

  sent(topicId: number, dedupeId: string, send: DelayedSend): void {
    const name = nameOf(topicId, dedupeId);
    this.#sends.delete(name);
    this.#sends.set(name, send);
    if (this.#sends.size <= rememberedMax) return;
    for (const oldest of this.#sends.keys()) {
      this.#sends.delete(oldest);
      break;
    }
  }

  find(topicId: number, dedupeId: string): DelayedSend | undefined {
    return this.#sends.get(nameOf(topicId, dedupeId));
  }
}

function nameOf(topicId: number, dedupeId: string): string {
  return `${topicId} ${dedupeId}`;
}
