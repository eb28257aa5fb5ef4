import type { OutputLimits } from '../connections/index.ts';

/** What one NATS client may ask of the server. A connection whose output overflows is closed. */
export interface NatsLimits extends OutputLimits {
  /** Arguments of a verb, in bytes. */
  readonly controlLineBytesMax: number;
  /** A payload with its headers, in bytes: `max_payload` of INFO. */
  readonly payloadBytesMax: number;
  readonly connectionsMax: number;
  /** Per connection. */
  readonly subscriptionsMax: number;
  /**
   * A connection that reads nothing of what waits for it for so long is closed; also one that holds
   * publishers back for so long.
   */
  readonly writeDeadlineMs: number;
  /** After so long without a word from the client it is asked with PING. */
  readonly pingIntervalMs: number;
  /** So many PINGs may be unanswered; then the connection is stale. */
  readonly pingsOutMax: number;
  /** A client that must authenticate has so long to do so. */
  readonly authTimeoutMs: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: NatsLimits = {
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
 * Defaults for what is not given. The output holds four payloads of the largest size at least, and its marks
 * follow its limit.
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
