/** Continues with a value that may be a promise. Synchronous clients stay synchronous this way. */
export function chain<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return isPromise(value) ? value.then(next) : next(value);
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Runs the steps one after another. */
export function inTurn<A>(items: readonly A[], step: (item: A) => unknown): void | Promise<void> {
  for (const [at, item] of items.entries()) {
    const done = step(item);
    if (isPromise(done)) return done.then(() => inTurn(items.slice(at + 1), step));
  }
  return undefined;
}
