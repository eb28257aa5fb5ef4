/**
 * An HTTP refusal: a status, a code for programs and a sentence for people. The protocol on top of HTTP
 * decides how it looks on the wire.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly headers: { readonly [name: string]: string };

  constructor(
    status: number,
    code: string,
    message: string,
    headers: { readonly [name: string]: string } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The client has left, or was cut off: no answer can reach it. */
export function clientGone(): HttpError {
  return new HttpError(400, 'client-gone', 'The client has left before its request was complete.');
}
