/**
 * For suites whose tests mostly wait for a broker: they run concurrently, so that the waits overlap. Each
 * test then uses names of its own (`uniqueName`). The timeout is that of a whole suite on a busy machine:
 * when it is over, node:test reports every unfinished test as one that "did not finish before its parent".
 */
export const parallel: { readonly concurrency: number; readonly timeout: number } = {
  concurrency: 8,
  timeout: 300_000,
};
