import type { Group, Receipt } from '../../broker/index.ts';

/** The five minutes in which SQS takes two receives with one ReceiveRequestAttemptId for the same. */
const windowMs = 300_000;
/** Attempts that are remembered; the oldest are forgotten first. Some KiB each. */
const attemptsMax = 10_000;

interface Attempt {
  readonly atMs: number;
  readonly receipts: readonly Receipt[];
}

/**
 * The attempts to receive from FIFO queues that clients have named. A client that did not get the answer asks
 * again under the same name, and gets the same messages. They are not stored.
 */
export class Attempts {
  readonly #attempts = new Map<string, Attempt>();

  /** Remembers what an attempt has received. */
  received(group: Group, id: string, receipts: readonly Receipt[], nowMs: number): void {
    if (receipts.length === 0) return;
    const name = nameOf(group, id);
    this.#attempts.delete(name); // so that it becomes the youngest
    this.#attempts.set(name, { atMs: nowMs, receipts });
    for (const [oldest, { atMs }] of this.#attempts) {
      if (this.#attempts.size <= attemptsMax && nowMs - atMs < windowMs) break;
      this.#attempts.delete(oldest);
    }
  }

  /**
   * What the attempt has received, and when; undefined if it is not known, too old, or if any of its messages
   * was answered or is no longer in flight.
   */
  find(group: Group, id: string, nowMs: number): Attempt | undefined {
    const attempt = this.#attempts.get(nameOf(group, id));
    if (!attempt || nowMs - attempt.atMs >= windowMs) return undefined;
    const isSame = attempt.receipts.every(
      ({ partition, offset, isCurrent }) => isCurrent && group.holds(partition, offset),
    );
    return isSame ? attempt : undefined;
  }
}

function nameOf(group: Group, id: string): string {
  return `${group.id} ${id}`;
}
