/** Messages whose first receive is remembered; the oldest are forgotten first. Some 100 bytes each. */
const rememberedMax = 10_000;

/**
 * The times at which messages were first received, for ApproximateFirstReceiveTimestamp. They are not stored:
 * of a message that was received before the last restart, or before many others, the time is not known.
 */
export class FirstReceives {
  readonly #times = new Map<string, number>();

  /** The message was received now, `deliveries` times by now. Returns the time of its first receive. */
  received(
    groupId: number,
    { partition, offset }: { readonly partition: number; readonly offset: number },
    deliveries: number,
    nowMs: number,
  ): number {
    const message = `${groupId}.${partition}.${offset}`;
    if (deliveries > 1) return this.#times.get(message) ?? nowMs;
    this.#times.set(message, nowMs);
    if (this.#times.size > rememberedMax)
      for (const oldest of this.#times.keys()) {
        this.#times.delete(oldest);
        break;
      }
    return nowMs;
  }
}
