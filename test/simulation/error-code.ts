import { BrokerError, LogError } from '../../src/broker/index.ts';

/** Refusals have a code; any other error is a bug, and its text says which. */
export function codeOf(error: unknown): string {
  if (error instanceof BrokerError || error instanceof LogError) return error.code;
  return `exception: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
