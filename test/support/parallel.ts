/**
 * For suites whose tests mostly wait for a broker: they run side by side, so that the waits overlap. Each test then uses
 * names of its own (`uniqueName`).
 */
export const parallel: { readonly concurrency: number; readonly timeout: number } = {
  concurrency: 8,
  timeout: 60_000,
};
