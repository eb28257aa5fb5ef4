import { Attachment } from './attachment.ts';
import type { Consumer } from '../model.ts';
import type { PendingEntry } from './pending.ts';

/** The consumers of a group take turns: one message each, in the order in which they came. */
export class Consumers {
  readonly #attachments: Attachment<PendingEntry>[] = [];
  #turn = 0;

  get count(): number {
    return this.#attachments.length;
  }

  /** In the order in which they came. */
  get attachments(): readonly Attachment<PendingEntry>[] {
    return this.#attachments;
  }

  add(consumer: Consumer): void {
    this.#attachments.push(new Attachment(consumer));
  }

  find(consumer: Consumer): Attachment<PendingEntry> | undefined {
    return this.#attachments.find((attachment) => attachment.consumer === consumer);
  }

  /** Undefined when it was not there. */
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

  /** The next one that has credit; its turn lasts until {@link turnTaken}. */
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

  /** The one that {@link next} named has had its turn. */
  turnTaken(): void {
    this.#turn++;
  }
}
