import type { Batch } from '../../log/index.ts';
import type { ByteReader, ByteWriter } from '../../util/index.ts';

/** The messages of one transaction in a partition. */
interface Part {
  /** Flat pairs `[from, to)`, ascending. */
  readonly runs: number[];
  /** Offset of the marker; -1 while the transaction is open. */
  markerOffset: number;
}

/**
 * Maximum number of runs of one transaction in one partition, 16 bytes each. A new run begins when batches of
 * other producers come in between.
 */
const runsMax = 1_000_000;

/**
 * Partition transactions are the undecided messages of a partition: the offsets of transactions that are
 * open, or whose end is not on disk yet. Only Kafka's uncommitted readers see messages from the first of them
 * on.
 *
 * The state follows from the headers of the batches in the log, and is rebuilt from them on replay. A
 * checkpoint contains the older part.
 */
export class PartitionTransactions {
  readonly #open = new Map<number, Part>();
  /** Ended transactions, in the order of their markers. They are forgotten when the markers are durable. */
  readonly #ended: Part[] = [];
  /** The lowest undecided offset, Infinity if there is none; undefined if it must be computed. */
  #from: number | undefined = Infinity;

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#ended.length === 0;
  }

  /** Ids of producers with open transactions here. */
  producerIds(): number[] {
    return [...this.#open.keys()];
  }

  has(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  /**
   * The first offset of a producer's open transaction; undefined if it has none here, or if nothing is left
   * of it.
   */
  firstOffsetOf(producerId: number): number | undefined {
    return this.#open.get(producerId)?.runs[0];
  }

  /** Whether a transaction may have another run here. */
  hasRoom(producerId: number): boolean {
    return (this.#open.get(producerId)?.runs.length ?? 0) / 2 < runsMax;
  }

  /** A batch of a transaction was appended. */
  note({ producerId, baseOffset, endOffset }: Batch): void {
    let part = this.#open.get(producerId);
    if (!part) this.#open.set(producerId, (part = { runs: [], markerOffset: -1 }));
    const { runs } = part;
    const last = runs.length - 1;
    if (last > 0 && runs[last] === baseOffset) runs[last] = endOffset;
    else runs.push(baseOffset, endOffset);
    if (this.#from !== undefined) this.#from = Math.min(this.#from, runs[0]!);
  }

  /** The marker of a transaction was appended. Returns the runs that it decides, as flat pairs. */
  end(producerId: number, markerOffset: number): readonly number[] {
    const part = this.#open.get(producerId);
    if (!part) return noRuns;
    this.#open.delete(producerId);
    part.markerOffset = markerOffset;
    this.#ended.push(part);
    return part.runs;
  }

  /**
   * The lowest undecided offset, at most `end`. A transaction has ended once its marker is below
   * `durableEnd`.
   */
  undecidedFrom(end: number, durableEnd: number): number {
    const ended = this.#ended;
    while (ended.length > 0 && ended[0]!.markerOffset < durableEnd) {
      ended.shift();
      this.#from = undefined;
    }
    return Math.min(end, (this.#from ??= this.#first()));
  }

  #first(): number {
    let from = Infinity;
    for (const { runs } of this.#ended) from = Math.min(from, runs[0] ?? Infinity);
    for (const { runs } of this.#open.values()) from = Math.min(from, runs[0] ?? Infinity);
    return from;
  }

  /** Everything below `offset` was removed. */
  trim(offset: number): void {
    if (this.isEmpty) return;
    this.#from = undefined;
    for (const { runs } of this.#open.values()) trimRuns(runs, offset);
    for (const { runs } of this.#ended) trimRuns(runs, offset);
  }

  /**
   * `uvarint count, (uvarint producer id, bounds, (uvarint difference from the previous bound)*)*`, of the
   * open transactions.
   */
  encode(writer: ByteWriter): void {
    writer.uvarint(this.#open.size);
    for (const [producerId, { runs }] of this.#open) {
      writer.uvarint(producerId).uvarint(runs.length);
      let before = 0;
      for (const bound of runs) {
        writer.uvarint(bound - before);
        before = bound;
      }
    }
  }

  get openCount(): number {
    return this.#open.size;
  }

  decode(reader: ByteReader): void {
    this.#from = undefined;
    for (let count = reader.uvarint(); count > 0; count--) {
      const producerId = reader.uvarint();
      const runs: number[] = [];
      let at = 0;
      for (let left = reader.uvarint(); left > 0; left--) runs.push((at += reader.uvarint()));
      this.#open.set(producerId, { runs, markerOffset: -1 });
    }
  }
}

const noRuns: readonly number[] = [];

function trimRuns(runs: number[], offset: number): void {
  if (runs.length === 0 || runs[0]! >= offset) return;
  let gone = 0;
  while (gone < runs.length && runs[gone + 1]! <= offset) gone += 2;
  runs.splice(0, gone);
  if (runs.length > 0) runs[0] = Math.max(runs[0]!, offset);
}
