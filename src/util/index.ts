export { allocAligned, startsAtPage } from './aligned-memory.ts';
export { BlockPool } from './block-pool.ts';
export {
  ByteReader,
  ByteWriter,
  readI16,
  readI32,
  readI64,
  readU16,
  readU32,
  textOf,
  textSize,
  unzigzag,
  uvarintSize,
  varintSize,
  writeI64,
  writeText,
  writeU16,
  writeU32,
  writeUvarint,
  writeVarint,
  zigzag,
} from './bytes.ts';
export { SystemClock, rfc3339, type Clock, type Timer } from './clock.ts';
export { crc32c, crc32cPlain } from './crc32c.ts';
export { loadCronReader, type CronReader, type CronTimes } from './cron.ts';
export { DueHeap } from './due-heap.ts';
export { DueTable } from './due-table.ts';
export { IndexedHeap, type HeapItem } from './indexed-heap.ts';
export { nestsDeeper } from './json-depth.ts';
export { heapBytes, memoryForObjectsBytes, memoryLimitBytes } from './machine-memory.ts';
export { Gate, Mutex } from './mutex.ts';
export { OffsetSet } from './offset-set.ts';
export { processFigures } from './process-figures.ts';
export { Queue } from './queue.ts';
export { SeededRandom, SystemRandom, type Random } from './random.ts';
export { sameText } from './same-text.ts';
export { shownJson, shownJsonText, shownText } from './shown-text.ts';
export {
  hasWildcards,
  isPublishSubject,
  isSubscribeSubject,
  subjectCovers,
  subjectMatches,
  subjectTokens,
  subjectsOverlap,
} from './subject.ts';
export { SteadyTime, type ClockFrame, type ClockJump } from './steady-time.ts';
export { TokenBucket, type RateLimit } from './token-bucket.ts';
export { VirtualClock } from './virtual-clock.ts';
