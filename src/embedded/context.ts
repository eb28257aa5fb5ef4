import type { Broker, BrokerError, Group as CoreGroup } from '../broker/index.ts';
import type { Clock } from '../util/index.ts';
import type { KeepAlive } from './keep-alive.ts';
import { checkOptions, milliseconds, type Checks } from './options.ts';
import type { PublishWindow } from './publish-window.ts';

/** What topics, groups and consumers need of the box around them. */
export interface BoxContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly window: PublishWindow;
  readonly keepAlive: KeepAlive;
  /** What consumes now: the box closes it before the broker. */
  readonly open: Set<Closable>;
  /** A delivery of this group was answered. */
  answered(group: CoreGroup): void;
  /**
   * Calls back whenever a delivery of this group was answered or given up, and with why there will be no
   * more; returns the call that ends that.
   */
  watchAnswers(group: CoreGroup, watcher: AnswerWatcher): () => void;
  /**
   * `true` once everything done so far is on disk; `false` at once. Nobody has to wait for it: left alone,
   * its rejection goes unheard.
   */
  answerOf(counts: boolean): Promise<boolean>;
}

export type AnswerWatcher = (gone?: BrokerError) => void;

export interface CloseOptions {
  /**
   * How long handlers under way may take, in milliseconds of real time, whatever clock the box has. Their
   * signals abort at once; messages of handlers that are not done by then go back. Default 10,000.
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
