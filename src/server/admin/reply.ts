/** An answer in JSON; admin-api/ has all shapes. */
export interface JsonReply<T> {
  readonly kind: 'json';
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: T;
}

/** `T` is inferred from the caller's return type, so that a wrong field does not compile. */
export function json<T>(body: NoInfer<T>, status: number = 200): JsonReply<T> {
  return { kind: 'json', status, body };
}
