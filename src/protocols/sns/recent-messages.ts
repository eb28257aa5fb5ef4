/** What a publisher is told of its message. */
export interface PublishedMessage {
  readonly MessageId: string;
  readonly SequenceNumber?: string | undefined;
}

interface Recent {
  readonly message: Promise<PublishedMessage>;
  readonly untilMs: number;
}

/**
 * The messages of a FIFO topic by deduplication id, for some minutes: a repeated publish is answered with the
 * first one. They are in memory only; after a restart the ledger knows them.
 */
export class RecentMessages {
  readonly #windowMs: number;
  readonly #max: number;
  /** In the order in which they came, so that the first ones expire first. */
  readonly #byId = new Map<string, Recent>();

  constructor(windowMs: number, max: number) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  /** The message that was published with the id; undefined if there is none. */
  get(id: string, nowMs: number): Promise<PublishedMessage> | undefined {
    this.#forget(nowMs);
    return this.#byId.get(id)?.message;
  }

  /** Remembers a publish, unless it fails. */
  add(id: string, message: Promise<PublishedMessage>, nowMs: number): void {
    const recent = { message, untilMs: nowMs + this.#windowMs };
    this.#byId.set(id, recent);
    message.catch(() => {
      if (this.#byId.get(id) === recent) this.#byId.delete(id);
    });
    if (this.#byId.size > this.#max)
      for (const oldest of this.#byId.keys()) {
        this.#byId.delete(oldest);
        break;
      }
  }

  #forget(nowMs: number): void {
    for (const [id, { untilMs }] of this.#byId) {
      if (untilMs > nowMs) return;
      this.#byId.delete(id);
    }
  }
}
