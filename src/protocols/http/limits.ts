/** The limits for the clients of one HTTP frontend. Times are in milliseconds. */
export interface HttpLimits {
  readonly connectionsMax: number;
  /** The names and values of the headers of a request, and its target. */
  readonly headersBytesMax: number;
  /** The number of headers of a request. */
  readonly headersMax: number;
  /** A body that its handler takes as a whole. */
  readonly bodyBytesMax: number;
  /** All bodies held for handlers at a time. A request that is alone may always have its body. */
  readonly bodiesBytesMax: number;
  /**
   * From the first byte of a request to the end of its headers. Also from the connection to the first byte.
   */
  readonly headersMs: number;
  /** From the headers to the end of a body that its handler takes as a whole. */
  readonly bodyMs: number;
  /** Between two pieces of a body that its handler takes as a stream, while the handler asks for more. */
  readonly bodyStallMs: number;
  /** The time for which a client may take nothing of an answer that waits for it. */
  readonly writeStallMs: number;
  /** Between two requests of one connection. */
  readonly idleMs: number;
  /**
   * The number of requests that a client may send ahead: one is under way, and the others wait in order. More
   * than that in one piece of input end the connection.
   */
  readonly pipelinedMax: number;
}

export const httpLimits: HttpLimits = {
  connectionsMax: 10_000,
  headersBytesMax: 16 * 1024,
  headersMax: 200,
  bodyBytesMax: 8 * 2 ** 20,
  bodiesBytesMax: 64 * 2 ** 20,
  headersMs: 10_000,
  bodyMs: 60_000,
  bodyStallMs: 20_000,
  writeStallMs: 20_000,
  idleMs: 75_000,
  pipelinedMax: 512,
};
