import type { Clock } from '../../util/index.ts';
import { AwsError } from '../../wire/aws/index.ts';

/** Waits that AWS asks for, in milliseconds; 0: none. In AWS each is a minute. */
export interface QueueWaitOptions {
  /** From a purge of a queue to the next. */
  readonly purgeMs: number;
  /** From the deletion of a queue to the next one of its name. */
  readonly recreateMs: number;
}

/** Names that are remembered; the oldest are forgotten first. */
const rememberedMax = 100_000;

/**
 * The waits after a purge and a deletion. Tests that empty and create their queues anew do not want them, so
 * that there are none unless they are set. They are not stored: a restart ends them.
 */
export class QueueWaits {
  readonly #clock: Clock;
  readonly #options: QueueWaitOptions;
  /** When each began, by the name of the queue; the oldest first. */
  readonly #purges = new Map<string, number>();
  readonly #deletions = new Map<string, number>();

  constructor(clock: Clock, options: QueueWaitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Throws PurgeQueueInProgress if a purge of the queue began too lately; else this one begins. */
  purging(name: string): void {
    const { purgeMs } = this.#options;
    if (this.#isWaiting(this.#purges, name, purgeMs))
      throw new AwsError(
        'PurgeQueueInProgress',
        `Only one PurgeQueue operation on ${name} is allowed every ${purgeMs / 1000} seconds.`,
      );
    this.#note(this.#purges, name, purgeMs);
  }

  deleted(name: string): void {
    this.#purges.delete(name);
    this.#note(this.#deletions, name, this.#options.recreateMs);
  }

  /** Throws QueueDeletedRecently. */
  checkCreation(name: string): void {
    const { recreateMs } = this.#options;
    if (this.#isWaiting(this.#deletions, name, recreateMs))
      throw new AwsError(
        'QueueDeletedRecently',
        `You must wait ${recreateMs / 1000} seconds after deleting a queue before you can create another with the same name.`,
      );
  }

  #isWaiting(since: ReadonlyMap<string, number>, name: string, ms: number): boolean {
    const beganMs = since.get(name);
    return beganMs !== undefined && this.#clock.monotonic() - beganMs < ms;
  }

  #note(since: Map<string, number>, name: string, ms: number): void {
    if (ms === 0) return;
    const nowMs = this.#clock.monotonic();
    since.delete(name);
    since.set(name, nowMs);
    for (const [oldest, beganMs] of since) {
      if (since.size <= rememberedMax && nowMs - beganMs < ms) return;
      since.delete(oldest);
    }
  }
}
