/**
 * What a call of `fs` answers, as a promise. Callbacks rather than `fs/promises`: less work per call on the
 * way of a commit.
 */
export function result<T>(
  call: (callback: (error: NodeJS.ErrnoException | null, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

/** The same of a call that answers nothing. */
export function done(call: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
