/** The options that a relay gives to a publish. */
export interface RelayedOptions {
  readonly key?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The id of the row. A target that has seen it stores nothing. */
  readonly dedupeId: string;
  readonly priority?: number;
  readonly ttlMs?: number;
  readonly deliverAtMs?: number;
}

/**
 * A publisher is a topic that takes bytes: of the embedded API or of the client, opened with `codec: bytes`.
 * A publish resolves once the message is stored; messages keep the order of the calls.
 */
export interface Publisher {
  publish(value: Uint8Array, options: RelayedOptions): Promise<{ readonly duplicate?: boolean }>;
}

/** Finds the publisher of a topic. Called once for each topic, and again after it failed. */
export type FindPublisher = (topic: string) => Publisher | Promise<Publisher>;
