/**
 * The result of a call of `fs`, as a promise. Callbacks cost less per call than `fs/promises`, which matters
 * for commits.
 */
export function result<T>(
  call: (callback: (error: NodeJS.ErrnoException | null, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

/** The same for a call without a result. */
export function done(call: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
