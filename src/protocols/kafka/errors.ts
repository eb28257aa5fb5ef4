import { BrokerError, LogError, type BrokerErrorCode } from '../../broker/index.ts';
import { noteRefusal } from '../refusal-counts.ts';
import { ErrorCode, RecordBatchError, WireError, errorName } from '../../wire/kafka/index.ts';

/**
 * A refusal in Kafka's terms: an error code of its protocol, and a message for responses with a field for it.
 */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = errorName(code), cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * The Kafka error code of each broker error. Producers retry retriable errors. If a topic or the disk is
 * full, or a topic's rate is exceeded, the code is one that Kafka uses for too few replicas or a storage
 * error, so that producers wait and retry instead of giving up.
 */
const codes: { readonly [code in BrokerErrorCode]: ErrorCode } = {
  'topic-not-found': ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  'topic-exists': ErrorCode.TOPIC_ALREADY_EXISTS,
  'topic-config-invalid': ErrorCode.INVALID_CONFIG,
  'subjects-overlap': ErrorCode.INVALID_CONFIG,
  'group-not-found': ErrorCode.GROUP_ID_NOT_FOUND,
  'group-exists': ErrorCode.INVALID_REQUEST,
  'group-config-invalid': ErrorCode.INVALID_CONFIG,
  'consumer-exclusive': ErrorCode.GROUP_MAX_SIZE_REACHED,
  'groups-full': ErrorCode.GROUP_MAX_SIZE_REACHED,
  'schedule-not-found': ErrorCode.INVALID_REQUEST,
  'schedule-config-invalid': ErrorCode.INVALID_CONFIG,
  'message-too-large': ErrorCode.MESSAGE_TOO_LARGE,
  'message-invalid': ErrorCode.INVALID_RECORD,
  'producer-fenced': ErrorCode.INVALID_PRODUCER_EPOCH,
  'sequence-gap': ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  'transaction-unknown': ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  'transaction-state': ErrorCode.INVALID_TXN_STATE,
  'transaction-busy': ErrorCode.CONCURRENT_TRANSACTIONS,
  'not-in-transaction': ErrorCode.TRANSACTION_ABORTABLE,
  'transaction-too-large': ErrorCode.TRANSACTION_ABORTABLE,
  'transaction-timeout-invalid': ErrorCode.INVALID_TRANSACTION_TIMEOUT,
  'transactions-full': ErrorCode.COORDINATOR_NOT_AVAILABLE,
  'topic-full': ErrorCode.NOT_ENOUGH_REPLICAS,
  'topic-bytes-full': ErrorCode.NOT_ENOUGH_REPLICAS,
  'key-full': ErrorCode.POLICY_VIOLATION,
  'rate-exceeded': ErrorCode.NOT_ENOUGH_REPLICAS,
  'wrong-last-offset': ErrorCode.INVALID_REQUEST,
  'wrong-last-key-offset': ErrorCode.INVALID_REQUEST,
  'wrong-last-dedupe-id': ErrorCode.INVALID_REQUEST,
  'offset-not-found': ErrorCode.OFFSET_OUT_OF_RANGE,
  'not-allowed': ErrorCode.POLICY_VIOLATION,
  'limit-reached': ErrorCode.POLICY_VIOLATION,
  'storage-full': ErrorCode.KAFKA_STORAGE_ERROR,
  'memory-full': ErrorCode.NOT_ENOUGH_REPLICAS,
  'storage-failed': ErrorCode.KAFKA_STORAGE_ERROR,
  closed: ErrorCode.NOT_LEADER_OR_FOLLOWER,
};

/** The error code of an error for the client; UNKNOWN_SERVER_ERROR if it is unexpected. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof KafkaError) return error.code;
  if (error instanceof BrokerError) {
    noteRefusal('kafka', error);
    return error.details.budget === 'partitions' ? ErrorCode.INVALID_PARTITIONS : codes[error.code];
  }
  if (error instanceof RecordBatchError) return error.errorCode;
  if (error instanceof WireError) return ErrorCode.INVALID_REQUEST;
  if (error instanceof LogError) return logErrorCode(error);
  return ErrorCode.UNKNOWN_SERVER_ERROR;
}

function logErrorCode({ code }: LogError): ErrorCode {
  if (code === 'record-too-large') return ErrorCode.MESSAGE_TOO_LARGE;
  if (code === 'records-invalid') return ErrorCode.INVALID_RECORD;
  return code === 'batch-invalid' ? ErrorCode.CORRUPT_MESSAGE : ErrorCode.KAFKA_STORAGE_ERROR;
}

/** The error message for responses with a field for it. For unexpected errors it does not contain details. */
export function errorMessageOf(error: unknown): string {
  return error instanceof KafkaError || error instanceof BrokerError || error instanceof WireError
    ? error.message
    : errorName(errorCodeOf(error));
}
