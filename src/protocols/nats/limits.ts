import type { OutputLimits } from '../connections/index.ts';

/** The limits of one NATS client. A connection whose output overflows is closed. */
export interface NatsLimits extends OutputLimits {
  /** The arguments of a verb, in bytes. */
  readonly controlLineBytesMax: number;
  /** A payload with its headers, in bytes: `max_payload` of INFO. */
  readonly payloadBytesMax: number;
  readonly connectionsMax: number;
  /** Per connection. */
  readonly subscriptionsMax: number;
  /**
   * A connection that reads none of its waiting output for this long is closed. So is one that holds
   * publishers back for this long.
   */
  readonly writeDeadlineMs: number;
  /** The time without input from a client after which the server sends PING. */
  readonly pingIntervalMs: number;
  /** The number of unanswered PINGs after which the connection is stale. */
  readonly pingsOutMax: number;
  /** The time that a client has for logging in, if it must. */
  readonly authTimeoutMs: number;
}

const MiB = 1024 * 1024;

const defaultLimits: NatsLimits = {
  controlLineBytesMax: 4096,
  payloadBytesMax: MiB,
  connectionsMax: 65_536,
  subscriptionsMax: Infinity,
  outputBytesMax: 64 * MiB,
  outputBytesHold: 48 * MiB,
  outputBytesCongested: MiB,
  writeDeadlineMs: 10_000,
  pingIntervalMs: 120_000,
  pingsOutMax: 2,
  authTimeoutMs: 2_000,
};

/**
 * Fills in the defaults. The output limit is at least four of the largest payloads, and the marks follow from
 * it.
 */
export function natsLimits(given: Partial<NatsLimits> = {}): NatsLimits {
  const { payloadBytesMax = defaultLimits.payloadBytesMax } = given;
  const { outputBytesMax = Math.max(defaultLimits.outputBytesMax, 4 * payloadBytesMax) } = given;
  const outputBytesHold = Math.floor(outputBytesMax * 0.75);
  return {
    ...defaultLimits,
    outputBytesMax,
    outputBytesHold,
    outputBytesCongested: Math.min(defaultLimits.outputBytesCongested, outputBytesHold),
    ...given,
  };
}
