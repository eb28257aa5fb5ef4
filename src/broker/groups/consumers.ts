import { Attachment } from './attachment.ts';
import type { Consumer } from '../model.ts';
import type { PendingEntry } from './pending.ts';

/** The consumers of a group. They take turns of one message each, in the order of attachment. */
export class Consumers {
  readonly #attachments: Attachment<PendingEntry>[] = [];
  #turn = 0;

  get count(): number {
    return this.#attachments.length;
  }

  /** In the order of attachment. */
  get attachments(): readonly Attachment<PendingEntry>[] {
    return this.#attachments;
  }

  add(consumer: Consumer): void {
    this.#attachments.push(new Attachment(consumer));
  }

  find(consumer: Consumer): Attachment<PendingEntry> | undefined {
    return this.#attachments.find((attachment) => attachment.consumer === consumer);
  }

  /** Undefined if the consumer is not attached. */
  remove(consumer: Consumer): Attachment<PendingEntry> | undefined {
    const at = this.#attachments.findIndex((attachment) => attachment.consumer === consumer);
    if (at < 0) return undefined;
    const [removed] = this.#attachments.splice(at, 1);
    if (at < this.#turn) this.#turn--;
    return removed;
  }

  removeAll(): Attachment<PendingEntry>[] {
    return this.#attachments.splice(0);
  }

  /** The next consumer that has credit. Its turn lasts until {@link turnTaken}. */
  next(): Attachment<PendingEntry> | undefined {
    const attachments = this.#attachments;
    const count = attachments.length;
    for (let i = 0; i < count; i++) {
      if (this.#turn >= count) this.#turn = 0;
      const attachment = attachments[this.#turn]!;
      if (attachment.consumer.credit > 0) return attachment;
      this.#turn++;
    }
    return undefined;
  }

  /** Ends the turn of the consumer returned by {@link next}. */
  turnTaken(): void {
    this.#turn++;
  }
}
