import type { Broker } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';

const namesMax = 10_000;

/**
 * Names of topics that were deleted a moment ago. Clients that still had the topic, its deleter's own
 * consumers among them, go on to ask for it, and must not bring it back by that; for the moment only a
 * request to create it does.
 */
export class DeletedNames {
  readonly #clock: Clock;
  readonly #keptMs: number;
  /** Until when, by the monotonic clock; in the order of the deletions. */
  readonly #untilMs = new Map<string, number>();
  readonly #unsubscribe: () => void;

  constructor(broker: Broker, clock: Clock, keptMs: number) {
    this.#clock = clock;
    this.#keptMs = keptMs;
    this.#unsubscribe = broker.events.subscribe((event) => {
      if (event.kind === 'topic-deleted') this.#add(event.topic.name);
    });
  }

  #add(name: string): void {
    const nowMs = this.#clock.monotonic();
    this.#untilMs.delete(name);
    this.#untilMs.set(name, nowMs + this.#keptMs);
    for (const [oldest, untilMs] of this.#untilMs) {
      if (untilMs > nowMs && this.#untilMs.size <= namesMax) return;
      this.#untilMs.delete(oldest);
    }
  }

  has(name: string): boolean {
    return (this.#untilMs.get(name) ?? -Infinity) > this.#clock.monotonic();
  }

  close(): void {
    this.#unsubscribe();
  }
}
