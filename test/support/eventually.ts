import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long the condition may stay false. It is generous: a slow machine must not fail a test. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** The condition, worded to follow "waited in vain for". */
  readonly message?: string;
}

/**
 * Waits until the condition returns something truthy without throwing, and returns that. It is how tests
 * wait: never by sleeping for luck. When time is up, the last error of the condition is the cause.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 20_000, intervalMs = 10, message = 'the condition' }: EventuallyOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false>>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) {
      const why = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(`waited in vain for ${message} (${timeoutMs} ms)${why}`, { cause: lastError });
    }
    await sleep(intervalMs);
  }
}
