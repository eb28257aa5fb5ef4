import { BrokerError } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';

/**
 * The code for a refusal that has to do with a transaction, in a version of an API from which on clients know
 * the newer codes. `fencedSince`: PRODUCER_FENCED, before that INVALID_PRODUCER_EPOCH. `abortableSince`:
 * TRANSACTION_ABORTABLE (KIP-890), before that INVALID_TXN_STATE.
 */
export function transactionErrorCode(
  error: unknown,
  version: number,
  { fencedSince = Infinity, abortableSince = Infinity }: { fencedSince?: number; abortableSince?: number },
): ErrorCode {
  if (error instanceof BrokerError && error.code === 'producer-fenced')
    return version >= fencedSince ? ErrorCode.PRODUCER_FENCED : ErrorCode.INVALID_PRODUCER_EPOCH;
  const code = errorCodeOf(error);
  return code === ErrorCode.TRANSACTION_ABORTABLE && version < abortableSince
    ? ErrorCode.INVALID_TXN_STATE
    : code;
}
