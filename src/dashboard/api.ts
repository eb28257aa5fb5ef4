import type { ErrorJson } from '../admin-api/index.ts';

/** A refusal of the broker, or no answer at all. */
export class ApiError extends Error {
  /** 0: the broker was not reached. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Sent with every request. Browsers send it for no page of another origin, and the broker compares it. */
export const csrf: { token: string } = { token: '' };
/** Called when a request needs a login that is not there any more. */
export const onLoginNeeded: { call: () => void } = { call: () => {} };

/** The address of a route: relative, so that the dashboard works below any path of a proxy. */
export function addressOf(path: string): string {
  return new URL(path.replace(/^\//, ''), document.baseURI.replace(/[#?].*$/, '')).href;
}

export function headers(): { [name: string]: string } {
  return { 'x-pillarbox-csrf': csrf.token };
}

/** One request to the admin HTTP. Rejects with an {@link ApiError}. */
export async function ask<T>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method,
      headers: { ...headers(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, 'unreachable', 'The broker does not answer. Is it running?');
  }
  if (response.ok) return (await response.json()) as T;
  throw await errorOf(response);
}

export async function errorOf(response: Response): Promise<ApiError> {
  if (response.status === 401) onLoginNeeded.call();
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as ErrorJson;
    return new ApiError(response.status, error.code, error.message);
  } catch {
    return new ApiError(response.status, 'unexpected', `The broker answered ${response.status}.`);
  }
}

/** What went wrong, as a sentence. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
