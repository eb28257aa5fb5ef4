import { BrokerError } from '../../../broker/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { errorCodeOf } from '../errors.ts';

/**
 * The code for an error of a transaction, by the version of the API, since older clients do not know the
 * newer codes. `fencedSince`: the first version with PRODUCER_FENCED; before, INVALID_PRODUCER_EPOCH.
 * `abortableSince`: the first version with TRANSACTION_ABORTABLE (KIP-890); before, INVALID_TXN_STATE.
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
