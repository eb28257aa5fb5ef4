import { checks, type Checks } from '../embedded/values.ts';
import type { Clock, Random } from '../util/index.ts';
import type { Driver } from './driver.ts';
import { UnsupportedError } from './errors.ts';
import type { Feature } from './features.ts';
import type { MessageIds } from './publish.ts';
import type { PublishWindow } from './publish-window.ts';
import { targetsWith } from './drivers/table.ts';

/** The services that a client offers to its topics, groups and consumers. */
export interface ClientContext {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: MessageIds;
  readonly window: PublishWindow;
  /** The consumers that are open; the client closes them before its connection. */
  readonly open: Set<Closable>;
  /** Reports a fault that the client deals with by itself. */
  report(error: Error): void;
}

export interface CloseOptions {
  /**
   * How long running handlers, and then publishes under way, may take, in milliseconds. The signals of
   * handlers abort at once. Default 10,000.
   */
  readonly timeoutMs?: number;
}

export interface Closable {
  close(options?: CloseOptions): Promise<void>;
}

export const closeTimeoutMs = 10_000;
export const closeChecks: Checks<CloseOptions> = { timeoutMs: checks.milliseconds() };

/** Throws an UnsupportedError for the first feature that the target lacks. */
export function requireFeatures({ driver }: ClientContext, asked: Iterable<Feature>): void {
  for (const feature of asked)
    if (driver.capabilities[feature] === 'none')
      throw new UnsupportedError(driver.target, feature, targetsWith(feature));
}
