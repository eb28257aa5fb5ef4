import type { Broker } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';

const namesMax = 10_000;

/**
 * Names of recently deleted topics. Clients that used such a topic, including consumers of the client that
 * deleted it, still ask for it, and must not recreate it by that. For a while only a request to create the
 * topic does so.
 */
export class DeletedNames {
  readonly #clock: Clock;
  readonly #keptMs: number;
  /** The end of that time for each name (monotonic clock), in the order of the deletions. */
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
