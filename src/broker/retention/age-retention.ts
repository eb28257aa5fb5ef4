import { Record, type Batch } from '../../log/index.ts';
import type { Clock, SteadyTime, Timer } from '../../util/index.ts';
import type { Pacing } from '../pacing.ts';
import type { Partition } from '../partitions/partition.ts';
import type { TopicConfig } from '../topics/topic-config.ts';
import type { WayOut } from './way-out.ts';

/** The messages to which the age limit of a topic does not apply. */
interface ExemptMessages {
  /** Whether the partition has any. */
  hasExempt(partition: Partition): boolean;
  isExempt(partition: Partition, offset: number): boolean;
}

/** A topic, as its age limit sees it. */
interface AgingTopic {
  readonly config: TopicConfig;
  readonly leaving: WayOut;
  readonly expiry: ExemptMessages;
  /** When a message came, in steady time, or its own time: what its age counts from. */
  arrivedMs(partition: Partition, offset: number, timestampMs: number): number;
  /** Called when messages were removed and there is room again. */
  noteRoom(): void;
}

const checkDelayMsMin = 10;
const retryDelayMs = 1000;

/**
 * Age retention removes messages when they are older than the topic's `ageMsMax`.
 *
 * One timer per partition fires when the oldest message reaches the age limit; then the head of the log is
 * read and trimmed.
 */
export class AgeRetention {
  readonly #topic: AgingTopic;
  readonly #clock: Clock;
  readonly #steady: SteadyTime;
  readonly #pacing: Pacing;
  readonly #timers = new Map<Partition, Timer>();
  readonly #running = new Set<Partition>();
  /** In partitions with exempt messages: all others below this offset are gone. */
  readonly #agedTo = new Map<Partition, number>();
  #stopped = false;

  constructor(topic: AgingTopic, clock: Clock, steady: SteadyTime, pacing: Pacing) {
    this.#topic = topic;
    this.#clock = clock;
    this.#steady = steady;
    this.#pacing = pacing;
  }

  /** Called when a message was appended; the first one starts the timer. */
  appended(partition: Partition, offset: number, timestampMs: number): void {
    const { ageMsMax } = this.#topic.config;
    if (ageMsMax === undefined || this.#timers.has(partition) || this.#running.has(partition)) return;
    const arrivedMs = this.#topic.arrivedMs(partition, offset, timestampMs);
    this.#arm(partition, arrivedMs + ageMsMax - this.#steady.now());
  }

  /** Checks the head now. Resolves once all messages that are too old have been removed. */
  async check(partition: Partition): Promise<void> {
    if (this.#topic.config.ageMsMax === undefined || this.#running.has(partition)) return;
    this.#timers.get(partition)?.cancel();
    this.#timers.delete(partition);
    this.#running.add(partition);
    await this.#trim(partition);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #arm(partition: Partition, delayMs: number): void {
    if (this.#stopped) return;
    const timer = this.#clock.setTimer(Math.max(checkDelayMsMin, delayMs), () => {
      this.#timers.delete(partition);
      void this.check(partition);
    });
    this.#timers.set(partition, timer);
  }

  async #trim(partition: Partition): Promise<void> {
    const reader = partition.reader();
    const record = new Record();
    let nextDelayMs: number | undefined;
    try {
      search: while (!this.#stopped && partition.count > 0) {
        const { ageMsMax } = this.#topic.config;
        if (ageMsMax === undefined) break;
        const from = this.#from(partition);
        if (from >= partition.nextOffset) break; // the age limit applies to none of those that are left
        const batch = await partition.batchAt(from);
        if (!batch) {
          nextDelayMs = Math.min(ageMsMax, retryDelayMs); // the oldest is not durable yet
          break;
        }
        const steady = this.#steady;
        const oldestKeptMs = steady.now() - ageMsMax;
        reader.reset(batch, from);
        while (reader.next(record)) {
          const { offset } = record;
          if (!partition.isLive(offset) || this.#topic.expiry.isExempt(partition, offset)) continue;
          const arrivedMs = this.#topic.arrivedMs(partition, offset, record.timestampMs);
          if (arrivedMs > oldestKeptMs) {
            if (!(await this.#expire(partition, batch, from, offset))) continue search;
            nextDelayMs = arrivedMs - oldestKeptMs;
            break search;
          }
        }
        const youngestMs = this.#topic.arrivedMs(partition, batch.endOffset - 1, batch.maxTimestampMs);
        if (!reader.isWhole && youngestMs > oldestKeptMs) {
          nextDelayMs = youngestMs - oldestKeptMs; // unreadable records count as the batch's youngest
          break;
        }
        await this.#expire(partition, batch, from, Math.max(batch.endOffset, from + 1));
      }
    } catch {
      nextDelayMs = retryDelayMs; // the log reports its own errors; retention tries again
    }
    this.#running.delete(partition);
    if (this.#stopped) return;
    this.#topic.noteRoom();
    if (nextDelayMs !== undefined) this.#arm(partition, nextDelayMs);
    else if (partition.count > 0 && this.#from(partition) < partition.nextOffset)
      this.#arm(partition, retryDelayMs);
  }

  /** Below this offset the age limit applies to no message. */
  #from(partition: Partition): number {
    if (!this.#topic.expiry.hasExempt(partition)) {
      this.#agedTo.delete(partition);
      return partition.firstOffset;
    }
    return Math.max(partition.firstOffset, this.#agedTo.get(partition) ?? 0);
  }

  /**
   * Removes messages below `below`, which is at most the end of this batch. Resolves to false if some are
   * left, because the removal has paused for other work.
   */
  async #expire(partition: Partition, batch: Batch, from: number, below: number): Promise<boolean> {
    const { leaving, expiry } = this.#topic;
    if (expiry.hasExempt(partition)) {
      const isOld = (offset: number): boolean =>
        partition.isLive(offset) && !expiry.isExempt(partition, offset);
      const offsets: number[] = [];
      for (let offset = from; offset < below; offset++) if (isOld(offset)) offsets.push(offset);
      await leaving.expire(partition, offsets, 'ageMsMax');
      this.#agedTo.set(partition, below);
      return true;
    }
    if (!leaving.isRead('expired')) {
      leaving.counts.expired += partition.trim(below);
      return true;
    }
    leaving.moveHead(partition, batch, below, 'expired', 'ageMsMax');
    await this.#pacing.wait();
    return partition.firstOffset >= below;
  }
}
