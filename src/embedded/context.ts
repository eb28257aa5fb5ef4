import type { Broker, BrokerError, Group as CoreGroup } from '../broker/index.ts';
import type { Clock } from '../util/index.ts';
import type { KeepAlive } from './keep-alive.ts';
import { checkOptions, milliseconds, type Checks } from './options.ts';
import type { PublishWindow } from './publish-window.ts';
import type { Tracing } from './tracing.ts';

/** The services that a box offers to its topics, groups and consumers. */
export interface BoxContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly window: PublishWindow;
  readonly keepAlive: KeepAlive;
  /** Undefined: no spans. */
  readonly tracing: Tracing | undefined;
  /** The consumers that are open; the box closes them before the broker. */
  readonly open: Set<Closable>;
  /** To be called when a delivery of this group was answered. */
  answered(group: CoreGroup): void;
  /**
   * Calls back whenever a delivery of this group was answered, dead-lettered or removed. When no more can
   * come, the last call carries the reason. Returns the function that stops this.
   */
  watchAnswers(group: CoreGroup, watcher: AnswerWatcher): () => void;
  /**
   * Resolves to `true` once all changes so far are on disk, or at once to `false` if `counts` is false.
   * Callers may ignore the promise; its rejection is swallowed.
   */
  answerOf(counts: boolean): Promise<boolean>;
}

export type AnswerWatcher = (gone?: BrokerError) => void;

export interface CloseOptions {
  /**
   * How long running handlers may take to finish, in milliseconds of real time, even on a virtual clock.
   * Their signals abort at once. Messages of handlers that do not finish in time go back to the group.
   * Default 10,000.
   */
  readonly timeoutMs?: number;
}

export interface Closable {
  close(options?: CloseOptions): Promise<void>;
}

export const closeTimeoutMs = 10_000;

const closeChecks: Checks<CloseOptions> = { timeoutMs: milliseconds() };

export function checkCloseOptions(options: CloseOptions): void {
  checkOptions('close()', options, closeChecks);
}
