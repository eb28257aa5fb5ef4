import type { Batch } from '../../log/index.ts';
import type { ByteReader, ByteWriter } from '../../util/index.ts';

/** The messages that one transaction has in a partition. */
interface Part {
  /** Flat pairs `[from, to)`, ascending. */
  readonly runs: number[];
  /** Offset of its marker; -1 while it is open. */
  markerOffset: number;
}

/**
 * Stretches of one transaction in one partition; more would need so many batches of others between them.
 * Sixteen bytes each.
 */
const runsMax = 1_000_000;

/**
 * Partition transactions are the undecided messages of a partition: which offsets belong to transactions that
 * are open, or whose end is not on disk yet. Nobody but Kafka's uncommitted readers is shown anything from
 * the first of them on.
 *
 * It follows from the headers of the batches in the log, and is made again from them on replay; a checkpoint
 * holds what is older.
 */
export class PartitionTransactions {
  readonly #open = new Map<number, Part>();
  /** Ended, in the order of their markers: forgotten when these are durable. */
  readonly #ended: Part[] = [];
  /** The lowest undecided offset, Infinity when there is none; undefined: to be looked for. */
  #from: number | undefined = Infinity;

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#ended.length === 0;
  }

  /** Producer ids that have undecided messages here. */
  producerIds(): number[] {
    return [...this.#open.keys()];
  }

  has(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  /**
   * The first offset of a producer's open transaction; undefined: it has none here, or nothing that is left
   * of it.
   */
  firstOffsetOf(producerId: number): number | undefined {
    return this.#open.get(producerId)?.runs[0];
  }

  /** Whether a transaction may have another batch here, which others have written to in between. */
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

  /** The marker of a transaction was appended: the stretches it decides, as flat pairs. */
  end(producerId: number, markerOffset: number): readonly number[] {
    const part = this.#open.get(producerId);
    if (!part) return noRuns;
    this.#open.delete(producerId);
    part.markerOffset = markerOffset;
    this.#ended.push(part);
    return part.runs;
  }

  /** The lowest undecided offset, at most `end`. An end counts once its marker lies below `durableEnd`. */
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

  /** Everything below `offset` is gone. */
  trim(offset: number): void {
    if (this.isEmpty) return;
    this.#from = undefined;
    for (const { runs } of this.#open.values()) trimRuns(runs, offset);
    for (const { runs } of this.#ended) trimRuns(runs, offset);
  }

  /**
   * `uvarint count, (uvarint producer id, bounds, (uvarint bound less the one before)*)*`, of those that are
   * open.
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
