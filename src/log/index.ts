export { stampAppendTime } from './append-time.ts';
export { Batch, BatchReader } from './batch.ts';
export { withoutRecords } from './batch-rewrite.ts';
export { LogError, type DamageReport, type LogErrorCode } from './errors.ts';
export {
  FaultyFiles,
  type FaultyFilesOptions,
  type FileCall,
  type Fault,
  type InFlightWrite,
} from './faulty-files.ts';
export type { DirectoryLock, File, Files, OpenOptions } from './files.ts';
export { Log, type LogStats } from './log.ts';
export type { LogHost } from './log-host.ts';
export type { Decompress, LogOptions } from './log-options.ts';
export { repairIdentity, type RepairedIdentity } from './identity-repair.ts';
export { MemoryFiles } from './memory-files.ts';
export { OverlayFiles } from './overlay-files.ts';
export type { PartitionLog, SegmentInfo } from './partition-log.ts';
export type { PartitionOptions } from './partitions.ts';
export { listQuarantine, type QuarantinedItem } from './quarantine-list.ts';
export { RealFiles } from './real-files.ts';
export { Record, noHeaders, type Header } from './record.ts';
export type { RecoveryStats } from './startup.ts';
export { markedOutcome, passingBatch, transactionMarker, type Outcome } from './transaction-marker.ts';
