import { ByteWriter, type ByteReader, type SteadyTime } from '../../util/index.ts';
import { EntryKind } from '../entries.ts';
import type { Partition } from '../partitions/partition.ts';

/** The services that the broker offers to the arrivals of messages. */
export interface ArrivalsHost {
  readonly steady: SteadyTime;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
}

/** Messages in `[from, to)` arrived at this time, or a little before. */
interface Note {
  readonly from: number;
  to: number;
  /** Steady time. */
  timeMs: number;
}

/** A timestamp that differs by less from the time of arrival stands for it. */
const toleranceMs = 1000;
/** More notes than this are merged, so that the times become coarser and not more. */
const notesMax = 4096;

/**
 * Arrivals are the times at which messages came, where the timestamps of the messages say something else: a
 * publisher may set them. Ages count from the arrival, unless the topic says otherwise (`ageFrom`).
 *
 * Neighbouring messages of one second share a note, and a partition has 4,096 notes at most. The other
 * messages need none.
 */
export class Arrivals {
  readonly #host: ArrivalsHost;
  readonly #notes = new Map<Partition, Note[]>();
  readonly #scratch = new ByteWriter();

  constructor(host: ArrivalsHost) {
    this.#host = host;
  }

  /** Messages in `[from, to)` were appended now; their timestamps are between these two. */
  appended(partition: Partition, from: number, to: number, oldestMs: number, youngestMs: number): void {
    const { steady } = this.#host;
    const nowMs = steady.now();
    const isOld = nowMs - steady.of(oldestMs) > toleranceMs;
    const isYoung = steady.of(youngestMs) - nowMs > toleranceMs;
    if (!isOld && !isYoung) return;
    this.#add(partition, from, to, nowMs);
    if (partition.log.volatile) return;
    this.#scratch.reset().uvarint(from).uvarint(to).varint(nowMs);
    this.#host.record(EntryKind.arrivals, partition.log.id, this.#scratch.view());
  }

  /** When a message came, in steady time. */
  of(partition: Partition, offset: number, timestampMs: number): number {
    const note = this.#notes.size === 0 ? undefined : find(this.#notes.get(partition) ?? [], offset);
    return note?.timeMs ?? this.#host.steady.of(timestampMs);
  }

  #add(partition: Partition, from: number, to: number, timeMs: number): void {
    let notes = this.#notes.get(partition);
    if (!notes) this.#notes.set(partition, (notes = []));
    const last = notes.at(-1);
    if (last && last.to === from && timeMs - last.timeMs < toleranceMs) last.to = to;
    else notes.push({ from, to, timeMs });
    if (notes.length <= notesMax) return;
    const live = notes.filter((note) => note.to > partition.firstOffset);
    this.#notes.set(partition, live.length > notesMax / 2 ? merged(live) : live);
  }

  /** The notes for a checkpoint, each as the payload of an entry. */
  *entries(): Iterable<readonly [Partition, Uint8Array]> {
    for (const [partition, notes] of this.#notes)
      for (const { from, to, timeMs } of notes) {
        if (to <= partition.firstOffset) continue;
        this.#scratch.reset().uvarint(from).uvarint(to).varint(timeMs);
        yield [partition, this.#scratch.copy()];
      }
  }

  /** Restores a note from an entry. */
  restore(partition: Partition, reader: ByteReader): void {
    const from = reader.uvarint();
    this.#add(partition, from, reader.uvarint(), reader.varint());
  }
}

function find(notes: readonly Note[], offset: number): Note | undefined {
  let low = 0;
  let high = notes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (notes[middle]!.to <= offset) low = middle + 1;
    else high = middle;
  }
  const note = notes[low];
  return note && note.from <= offset ? note : undefined;
}

/** Half as many notes, each with the later time of two: no message becomes older by it. */
function merged(notes: readonly Note[]): Note[] {
  const pairs: Note[] = [];
  for (let at = 0; at < notes.length; at += 2) {
    const second = notes[at + 1] ?? notes[at]!;
    pairs.push({ from: notes[at]!.from, to: second.to, timeMs: second.timeMs });
  }
  return pairs;
}
