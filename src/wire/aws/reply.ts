/** An answer for HTTP: status, headers and body. */
export interface WireReply {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}
