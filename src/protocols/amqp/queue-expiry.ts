import { defaultGroup, type Topic } from '../../broker/index.ts';
import type { Clock, Timer } from '../../util/index.ts';

/** A queue that is deleted when it was not used for so long. */
interface Watched {
  readonly expiresMs: number;
  /** On the monotonic clock. */
  usedMs: number;
  timer: Timer;
}

/**
 * Queue expiry deletes queues that nobody has used for the time of their argument `x-expires`: no consumer,
 * no basic.get, no declaration. The time counts anew from the start of the broker.
 *
 * A use only takes the time down, and the timer finds out: a queue in constant use costs a timer for each
 * period.
 */
export class QueueExpiry {
  readonly #clock: Clock;
  readonly #watched = new Map<Topic, Watched>();
  readonly #expire: (topic: Topic) => void;

  /** `expire` deletes a queue. */
  constructor(clock: Clock, expire: (topic: Topic) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** Begins to watch a queue, which is in use now. */
  watch(topic: Topic, expiresMs: number): void {
    this.#watched.set(topic, {
      expiresMs,
      usedMs: this.#clock.monotonic(),
      timer: this.#clock.setTimer(expiresMs, () => this.#look(topic)),
    });
  }

  used(topic: Topic): void {
    const watched = this.#watched.get(topic);
    if (watched) watched.usedMs = this.#clock.monotonic();
  }

  /** The queue is gone. */
  forget(topic: Topic): void {
    this.#watched.get(topic)?.timer.cancel();
    this.#watched.delete(topic);
  }

  close(): void {
    for (const { timer } of this.#watched.values()) timer.cancel();
    this.#watched.clear();
  }

  #look(topic: Topic): void {
    const watched = this.#watched.get(topic);
    if (!watched) return;
    const nowMs = this.#clock.monotonic();
    if ((topic.groups.get(defaultGroup)?.consumers ?? 0) > 0) watched.usedMs = nowMs;
    const leftMs = watched.usedMs + watched.expiresMs - nowMs;
    if (leftMs > 0) {
      watched.timer = this.#clock.setTimer(leftMs, () => this.#look(topic));
      return;
    }
    this.#watched.delete(topic);
    this.#expire(topic);
  }
}
