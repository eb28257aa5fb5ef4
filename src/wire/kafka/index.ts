export { type AnyApi, type Api } from './api.ts';
export * from './apis/index.ts';
export { Compression, decompress } from './compression/index.ts';
export {
  decodeConsumerAssignment,
  decodeConsumerSubscription,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
} from './consumer-protocol.ts';
export { ErrorCode, errorName, isRetriable, type ErrorName } from './error-codes.ts';
export { WireError, type WireErrorCode } from './errors.ts';
export { encodeEndTransactionMarker, readEndTransactionMarker } from './end-transaction-marker.ts';
export { FrameSplitter } from './frame-splitter.ts';
export {
  readRequest,
  readResponse,
  readResponseHeader,
  writeRequest,
  writeResponse,
  type RequestFrame,
} from './frame.ts';
export {
  RecordBatch,
  RecordBatchError,
  batchHeaderBytes,
  checkProducedBatch,
  checkProducedHeader,
  readProducedBatches,
  splitBatches,
} from './record-batch.ts';
export { encodeRecordBatch, type NewRecord, type RecordBatchOptions } from './record-batch-writer.ts';
export { checkRecords, readRecords, type BatchRecord } from './records.ts';
export { Reader } from './reader.ts';
export { includes, type Fields } from './schema.ts';
export { zeroUuid, type Uuid } from './uuid.ts';
export { Writer } from './writer.ts';
