/** An answer in JSON; the shapes of all of them are in admin-api/. */
export interface JsonReply<T> {
  readonly kind: 'json';
  readonly status?: number;
  readonly body: T;
}

/** `T` comes from what the caller is to return, so that a wrong field does not compile. */
export function json<T>(body: NoInfer<T>, status: number = 200): JsonReply<T> {
  return { kind: 'json', status, body };
}
