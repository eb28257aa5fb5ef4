import {
  ByteWriter,
  DueHeap,
  OffsetSet,
  type ByteReader,
  type Clock,
  type SteadyTime,
  type Timer,
} from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import { EntryKind, neverDueMs, writeExpiries } from '../entries.ts';
import type { Pacing } from '../pacing.ts';
import type { Partition } from '../partitions/partition.ts';
import type { WayOut } from '../retention/way-out.ts';
import { Overdue } from './overdue.ts';

/** A topic, as the expiry of its messages sees it. */
export interface ExpiringTopic {
  readonly config: {
    readonly durability: 'disk' | 'memory';
    readonly retention: string;
    readonly ageMsMax?: number;
  };
  /** When a message came, in steady time, or its own time: what its age counts from. */
  arrivedMs(partition: Partition, offset: number, timestampMs: number): number;
  readonly partitions: { at(index: number): Partition | undefined; readonly opened: readonly Partition[] };
  readonly leaving: WayOut;
  /** Whether a consumer of a group has the message, or a group is moving it to its dead letters. */
  isHeld(partition: Partition, offset: number): boolean;
  /** Groups that do not hold the message forget that they were to deliver it. */
  notePassed(partition: Partition, offset: number): void;
  /** Called when messages were removed and there is room again. */
  noteRoom(): void;
  /** Called when groups may deliver again. */
  wakeGroups(): void;
}

/** The services that the broker offers to the expiry of messages. */
export interface ExpiryHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
}

/** Messages taken out in one turn of the event loop, and the time that finding them may take. */
const sliceMessages = 2048;
const sliceMs = 2;
/** The time is looked at once for so many messages. */
const pieceMessages = 128;
/** Up to this number of entries whose messages are gone stays in the heap, however small it is. */
const goneMin = 1024;
const retryDelayMs = 1000;

/**
 * Expiry takes messages out of a topic when their own time to live (`ttlMs` of the publish) is over, wherever
 * they stand in the log.
 *
 * Each such message has an entry in a heap of due times, some 30 bytes. Due times follow steady time, so that
 * a jump of the clock makes no message due. Due messages are taken out in slices, one per turn of the event
 * loop. Until all of them are out, the groups of the topic deliver nothing: see {@link catchUp}.
 *
 * In a queue-like topic a message that a consumer holds stays when it is due: see {@link Overdue}.
 */
export class Expiry {
  readonly #topic: ExpiringTopic;
  readonly #host: ExpiryHost;
  readonly #meter: Meter;
  readonly #scratch = new ByteWriter();
  readonly #heap = new DueHeap();
  readonly #overdue: Overdue;
  /** Messages that outlive the age limit of the topic. */
  readonly #exempt = new Map<Partition, OffsetSet>();
  /** Messages removed since the heap was last swept: at most so many of its entries are of no use. */
  #gone = 0;
  #timer: Timer | undefined = undefined;
  #timerDueMs = Infinity;
  /** Whether messages that could not be moved are to be tried again. */
  #retries = false;
  #running = false;
  /** False until recovery is over. */
  #started = false;
  #stopped = false;

  constructor(topic: ExpiringTopic, host: ExpiryHost, meter: Meter) {
    this.#topic = topic;
    this.#host = host;
    this.#meter = meter;
    this.#overdue = new Overdue(topic);
  }

  /** Messages with a time to live, including some that are gone. */
  get size(): number {
    return this.#heap.size + this.#overdue.size;
  }

  /** Whether any message of the topic has a time to live, or none at all. */
  get isUsed(): boolean {
    return this.#heap.size > 0 || this.#overdue.size > 0 || this.#exempt.size > 0;
  }

  /** Gives a message that was just appended `ttlMs` milliseconds to live; Infinity: no age limit applies. */
  add(partition: Partition, offset: number, ttlMs: number): void {
    const { steady } = this.#host;
    const dueMs = ttlMs === Infinity ? neverDueMs : Math.ceil(steady.now() + ttlMs);
    if (this.#topic.config.durability === 'disk') {
      writeExpiries(this.#scratch.reset(), [offset, dueMs]);
      this.#host.record(EntryKind.expiries, partition.log.id, this.#scratch.view());
    }
    this.restore(partition, offset, dueMs);
  }

  /** Gives a message an expiry by its due time (steady time), such as one from the journal. */
  restore(partition: Partition, offset: number, dueMs: number): void {
    if (dueMs === neverDueMs) return this.#exemptOf(partition).addRange(offset, offset + 1);
    this.#heap.push(dueMs, offset, partition.index);
    this.#meter.set(this.size);
    this.#arm();
  }

  /** Whether the age limit of the topic does not apply to the message. */
  isExempt(partition: Partition, offset: number): boolean {
    return this.#exempt.get(partition)?.has(offset) ?? false;
  }

  /** Whether the age limit of the topic does not apply to some messages of the partition. */
  hasExempt(partition: Partition): boolean {
    return this.#exempt.has(partition);
  }

  /**
   * When messages expire, by the wall clock, if they do: the earlier of their own time and the age limit of
   * the topic. Looks through all entries, once for all of these messages.
   */
  timesOf(
    partition: Partition,
    messages: Iterable<{ readonly offset: number; readonly timestampMs: number }>,
  ): ReadonlyMap<number, number> {
    const { ageMsMax = Infinity } = this.#topic.config;
    const times = new Map<number, number>();
    for (const { offset, timestampMs } of messages) {
      const agesMs = this.isExempt(partition, offset) ? Infinity : ageMsMax;
      times.set(offset, this.#topic.arrivedMs(partition, offset, timestampMs) + agesMs);
    }
    const limit = (offset: number, dueMs: number): void => {
      const otherMs = times.get(offset);
      if (otherMs !== undefined && dueMs < otherMs) times.set(offset, dueMs);
    };
    for (const [dueMs, offset, index] of this.#heap.entries())
      if (index === partition.index) limit(offset, dueMs);
    for (const [offset, dueMs] of partition.overdue ?? []) limit(offset, dueMs);
    const known = [...times].filter(([, dueMs]) => dueMs !== Infinity);
    return new Map(known.map(([offset, dueMs]) => [offset, this.#host.steady.toWall(dueMs)]));
  }

  /** Offset and due time (steady time) of the messages of each partition, as flat lists, in no order. */
  dueTimes(): ReadonlyMap<Partition, readonly number[]> {
    const { partitions } = this.#topic;
    const times = new Map<Partition, number[]>();
    const add = (partition: Partition, offset: number, dueMs: number): void => {
      if (!partition.isLive(offset)) return;
      let list = times.get(partition);
      if (!list) times.set(partition, (list = []));
      list.push(offset, dueMs);
    };
    for (const [dueMs, offset, index] of this.#heap.entries()) add(partitions.at(index)!, offset, dueMs);
    for (const partition of partitions.opened)
      for (const [offset, dueMs] of partition.overdue ?? []) add(partition, offset, dueMs);
    return times;
  }

  /** Messages of the partition without an age limit; undefined if there are none. */
  exemptOf(partition: Partition): OffsetSet | undefined {
    return this.#exempt.get(partition);
  }

  restoreExempt(partition: Partition, reader: ByteReader): void {
    for (const [from, to] of OffsetSet.decode(reader).runs()) this.#exemptOf(partition).addRange(from, to);
  }

  #exemptOf(partition: Partition): OffsetSet {
    let exempt = this.#exempt.get(partition);
    if (!exempt) this.#exempt.set(partition, (exempt = new OffsetSet()));
    return exempt;
  }

  // ---- what happens to messages

  /** Messages in `[from, to)` were removed, for any reason. */
  noteGone(partition: Partition, from: number, to: number): void {
    this.#overdue.forget(partition, from, to);
    if (this.#exempt.has(partition)) this.#forgetExempt(partition, from, to);
    this.#gone += to - from;
    if (this.#gone > Math.max(goneMin, this.#heap.size / 2)) this.#sweep();
  }

  /** A consumer no longer holds the message: if its time is over and it is still there, it expires now. */
  released(partition: Partition, offset: number): void {
    if (this.#overdue.size === 0 || !this.#overdue.isOver(partition, offset)) return;
    if (!this.#topic.isHeld(partition, offset)) this.#takeOut(partition, [offset]);
  }

  /** Consumers or groups are gone: messages that they held expire if their time is over. */
  releasedAll(): void {
    for (const [partition, offsets] of this.#overdue.free()) this.#takeOut(partition, offsets);
  }

  /** Drops the entries of messages that are gone. */
  #sweep(): void {
    const { partitions } = this.#topic;
    this.#heap.removeWhere((offset, index) => !partitions.at(index)!.isLive(offset));
    this.#gone = 0;
    this.#meter.set(this.size);
  }

  #forgetExempt(partition: Partition, from: number, to: number): void {
    const exempt = this.#exempt.get(partition)!;
    if (from <= partition.firstOffset) exempt.deleteBelow(partition.firstOffset);
    for (let at = exempt.nextPresent(from); at !== undefined && at < to; at = exempt.nextPresent(at))
      exempt.delete(at);
    if (exempt.size === 0) this.#exempt.delete(partition);
  }

  // ---- time

  /** After the replay of the journal: takes out what is due; resolves when all of it is out. */
  async start(): Promise<void> {
    this.#started = true;
    if (this.#heap.size > 0) this.#sweep();
    await this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Called when the topic is deleted: releases its budget. */
  close(): void {
    this.stop();
    this.#meter.close();
  }

  /**
   * Whether no message is due, so that groups may deliver. If some are, takes out a slice of them now, and
   * the others later; then the groups are woken.
   */
  catchUp(): boolean {
    if (this.#heap.size === 0 && !this.#running) return true;
    if (!this.#running && this.#isDue) void this.#run();
    return !this.#running;
  }

  get #isDue(): boolean {
    return this.#heap.firstDueMs() <= this.#host.steady.now();
  }

  #arm(): void {
    const dueMs = this.#heap.firstDueMs();
    if (!this.#started || this.#stopped || this.#running || dueMs >= this.#timerDueMs) return;
    this.#setTimer(dueMs, dueMs - this.#host.steady.now());
  }

  #setTimer(dueMs: number, delayMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#host.clock.setTimer(delayMs, () => {
      this.#timerDueMs = Infinity;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running || this.#stopped || !this.#started) return;
    this.#running = true;
    let retries = false;
    try {
      while (this.#isDue && !this.#stopped) {
        const moves = this.#takeDue();
        if (moves) await moves;
        this.#topic.noteRoom();
        if (this.#isDue) await this.#host.pacing.wait();
      }
    } catch {
      retries = true; // a message could not be read for its dead letter, and the log has reported that
    }
    this.#running = false;
    if (this.#stopped) return;
    if (retries) this.#retry();
    else this.#arm();
    this.#topic.wakeGroups();
  }

  /** Messages that could not be moved stay, and are not delivered; they are tried again a little later. */
  #retry(): void {
    if (this.#retries) return;
    this.#retries = true;
    this.#host.clock.setTimer(retryDelayMs, () => {
      this.#retries = false;
      if (this.#stopped) return;
      this.releasedAll();
      this.#arm();
    });
  }

  /** Takes one slice of the due messages off the heap, and out of the topic. */
  #takeDue(): Promise<void> | undefined {
    const nowMs = this.#host.steady.now();
    const due = new Map<Partition, number[]>();
    const endMs = this.#host.clock.monotonic() + sliceMs;
    for (let left = sliceMessages; left > 0 && this.#heap.firstDueMs() <= nowMs; left--) {
      if (left % pieceMessages === 0 && this.#host.clock.monotonic() > endMs) break;
      const offset = this.#heap.firstOffset();
      const dueMs = this.#heap.firstDueMs();
      const partition = this.#topic.partitions.at(this.#heap.firstPartitionId())!;
      this.#heap.pop();
      if (!partition.isLive(offset)) continue;
      const isLeft = this.#isLeft(partition, offset);
      if (isLeft || this.#topic.leaving.isRead('expired')) this.#overdue.add(partition, offset, dueMs);
      if (isLeft) continue;
      const offsets = due.get(partition);
      if (offsets) offsets.push(offset);
      else due.set(partition, [offset]);
    }
    let moves: Promise<void> | undefined;
    for (const [partition, offsets] of due) {
      const move = this.#remove(
        partition,
        offsets.sort((a, b) => a - b),
      );
      if (move) moves = moves ? moves.then(() => move) : move;
    }
    this.#meter.set(this.size);
    return moves;
  }

  /** In a queue-like topic a message that a consumer holds is left to it. */
  #isLeft(partition: Partition, offset: number): boolean {
    if (this.#topic.config.retention === 'limits' || !this.#topic.isHeld(partition, offset)) return false;
    this.#topic.notePassed(partition, offset);
    return true;
  }

  /** Removes messages now, or as soon as they are read for their dead letters. */
  #takeOut(partition: Partition, offsets: readonly number[]): void {
    const moves = this.#remove(partition, offsets);
    this.#meter.set(this.size);
    if (moves) void moves.catch(() => this.#retry());
    else this.#topic.noteRoom();
  }

  #remove(partition: Partition, offsets: readonly number[]): Promise<void> | undefined {
    const { leaving } = this.#topic;
    if (leaving.isRead('expired')) return leaving.expire(partition, offsets, 'ttlMs').then(() => undefined);
    const gone = this.#gone;
    for (const offset of offsets) if (partition.remove(offset)) leaving.counts.expired++;
    this.#gone = gone; // their entries have left the heap
    return undefined;
  }
}
