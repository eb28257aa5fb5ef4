import type { Broker } from '../broker/index.ts';

/**
 * Resolves when all changes so far are on disk and those who wait for them have been answered, or after this
 * time.
 */
export function untilCommitted(broker: Broker, waitMs: number): Promise<void> {
  const { clock } = broker;
  return new Promise((resolve) => {
    const timer = clock.setTimer(waitMs, resolve);
    broker.afterCommit(() => {
      timer.cancel();
      clock.defer(resolve);
    });
  });
}
