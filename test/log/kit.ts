import {
  BatchReader,
  Log,
  Record,
  noHeaders,
  type Batch,
  type DamageReport,
  type Files,
  type LogError,
  type LogHost,
  type LogOptions,
  type PartitionLog,
} from '../../src/log/index.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { PoisonedBlocks } from '../support/index.ts';

/**
 * The state of the tests' host: the last text by (kind, id), the partitions, their trims and their deletions.
 */
export interface HostState {
  readonly texts: { [key: string]: string };
  /** Partition id to trim offset. */
  readonly partitions: { [id: string]: number };
  readonly deleted: { [id: string]: number[] };
}

export const Kind = { text: 1, created: 2, trimmed: 3, dropped: 4, deleted: 5 } as const;

/** A host whose whole state is a few maps, so that recovered state can be compared with the original. */
export class TestHost implements LogHost {
  log!: Log;
  state: HostState = { texts: {}, partitions: {}, deleted: {} };
  readonly replayed: { partition: number; from: number; to: number }[] = [];
  readonly damage: DamageReport[] = [];
  failure: LogError | undefined = undefined;
  durableCalls = 0;
  relievedCalls = 0;
  snapshots = 0;
  onSealed: (() => void) | undefined = undefined;
  onDurable: ((touched: readonly PartitionLog[]) => void) | undefined = undefined;
  onBeforeSeal: (() => void) | undefined = undefined;
  onVolatileGrew: ((touched: readonly PartitionLog[]) => void) | undefined = undefined;
  readonly #removals: number[] = [];

  opening(log: Log): void {
    this.log = log;
  }

  restore(snapshot: Uint8Array | undefined): void {
    if (snapshot !== undefined) this.state = JSON.parse(Buffer.from(snapshot).toString()) as HostState;
    for (const id of Object.keys(this.state.partitions)) this.log.openPartition(Number(id));
  }

  replayBatch(partition: PartitionLog, batch: Batch): void {
    this.replayed.push({ partition: partition.id, from: batch.baseOffset, to: batch.endOffset });
  }

  replayEntry(kind: number, id: number, payload: Uint8Array): void {
    const text = Buffer.from(payload).toString();
    this.apply(kind, id, text);
    if (kind === Kind.created) this.log.openPartition(id);
    else if (kind === Kind.trimmed) this.log.partition(id)?.trim(Number(text));
    else if (kind === Kind.dropped) void this.log.deletePartition(id).catch(() => undefined);
  }

  apply(kind: number, id: number, text: string): void {
    const { texts, partitions, deleted } = this.state;
    if (kind === Kind.text) texts[id] = text;
    else if (kind === Kind.created) partitions[id] ??= 0;
    else if (kind === Kind.trimmed) partitions[id] = Math.max(partitions[id] ?? 0, Number(text));
    else if (kind === Kind.dropped) delete partitions[id];
    else if (kind === Kind.deleted) (deleted[id] ??= []).push(Number(text));
  }

  // ---- actions of a test

  put(kind: number, id: number, text: string): void {
    this.apply(kind, id, text);
    this.log.record(kind, id, Buffer.from(text));
  }

  create(id: number): PartitionLog {
    this.put(Kind.created, id, '');
    return this.log.openPartition(id);
  }

  trim(id: number, offset: number): void {
    this.put(Kind.trimmed, id, String(offset));
    this.log.partition(id)!.trim(offset);
  }

  /** The files go when the entry is durable. */
  drop(id: number): void {
    this.put(Kind.dropped, id, '');
    this.#removals.push(id);
  }

  beforeSeal(): void {
    this.onBeforeSeal?.();
  }

  #sealedRemovals: number[] = [];

  sealed(): void {
    this.#sealedRemovals = this.#removals.splice(0);
    this.onSealed?.();
  }

  relieved(): void {
    this.relievedCalls++;
  }

  durable(touched: readonly PartitionLog[]): void {
    this.durableCalls++;
    for (const id of this.#sealedRemovals.splice(0)) void this.log.deletePartition(id).catch(() => undefined);
    this.onDurable?.(touched);
  }

  volatileGrew(touched: readonly PartitionLog[]): void {
    this.onVolatileGrew?.(touched);
  }

  snapshot(): Uint8Array[] {
    this.snapshots++;
    const text = Buffer.from(JSON.stringify(this.state));
    const half = text.length >> 1;
    return [text.subarray(0, half), text.subarray(half)];
  }

  failed(error: LogError): void {
    this.failure = error;
  }

  damaged(report: DamageReport): void {
    this.damage.push(report);
  }
}

/**
 * Limits so small that little writing makes everything happen: new segments, new journal files, checkpoints,
 * evictions.
 */
export const smallLimits: TestOptions = {
  journalFileBytes: 16 * 1024,
  checkpointBytes: 64 * 1024,
  segmentBytesMax: 4096,
  indexIntervalBytes: 256,
  batchBytesMax: 1024,
  batchRecordsMax: 20,
  tailCacheBytesMax: 8192,
  readCacheBytesMax: 16 * 1024,
  unflushedBytesMax: 8192,
  commitBytesMax: 64 * 1024,
};

export type TestOptions = Partial<Omit<LogOptions, 'files'>>;

/** Opens a log in `data` with the test's host. */
export async function openLog(
  files: Files,
  options: TestOptions = {},
  host: TestHost = new TestHost(),
): Promise<{ log: Log; host: TestHost; clock: VirtualClock }> {
  const clock = new VirtualClock();
  const log = await Log.open(host, {
    dir: 'data',
    clock,
    random: new SeededRandom(7),
    files,
    blocks: new PoisonedBlocks(),
    ...options,
  });
  await log.inspected;
  return { log, host, clock };
}

const scratch = new Record();

/** Appends a record with this value, and a key if given. */
export function append(
  partition: PartitionLog,
  value: string,
  options: { key?: string; timestampMs?: number } = {},
): number {
  const key = options.key ?? '';
  const buffer = Buffer.from(key + value);
  const keyBytes = Buffer.byteLength(key);
  scratch.buffer = buffer;
  scratch.keyStart = options.key === undefined ? -1 : 0;
  scratch.keyEnd = options.key === undefined ? -1 : keyBytes;
  scratch.valueStart = keyBytes;
  scratch.valueEnd = buffer.length;
  scratch.timestampMs = options.timestampMs ?? 1000;
  scratch.headers = noHeaders;
  return partition.append(scratch);
}

/** Appends a batch as a client sends it. Returns its base offset. */
export function appendBatch(partition: PartitionLog, bytes: Uint8Array, recordCount: number): number {
  const batch = partition.checkedBatch(bytes, recordCount);
  partition.appendChecked(batch);
  return batch.baseOffset;
}

/** Every batch from the one that holds `from` on, byte for byte. */
export async function readBatches(
  partition: PartitionLog,
  from: number = partition.startOffset,
): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (let offset = from; ;) {
    const batch = partition.cached(offset) ?? (await partition.load(offset));
    if (batch === undefined) return found;
    found.push(batch.buffer);
    offset = batch.endOffset;
  }
}

export interface Read {
  readonly offset: number;
  readonly value: string;
}

/** Everything that can be read from `from` on. */
export async function readAll(
  partition: PartitionLog,
  from: number = partition.startOffset,
): Promise<Read[]> {
  const found: Read[] = [];
  const record = new Record();
  const reader = new BatchReader();
  for (let offset = from; ;) {
    const batch = partition.cached(offset) ?? (await partition.load(offset));
    if (batch === undefined) return found;
    reader.reset(batch, offset);
    while (reader.next(record))
      found.push({ offset: record.offset, value: Buffer.from(record.value!).toString() });
    offset = batch.endOffset;
  }
}

export function values(read: readonly Read[]): string[] {
  return read.map(({ value }) => value);
}

/** Waits until `condition` holds; fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !condition();) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
