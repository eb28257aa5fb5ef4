import { Record, type Batch, type Header } from '../../log/index.ts';
import { OffsetSet, type Timer } from '../../util/index.ts';
import { appendDeadLetter, wasDeadLetterOf, type DeadLetterHost } from './dead-letter.ts';
import { policyOfTopic, type ResolvedPolicy } from './resolved-policy.ts';
import { BrokerError, topicError } from '../errors.ts';
import type { Topic } from '../model.ts';
import type { Pacing } from '../pacing.ts';
import { KeyReader } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import { turnBytes } from '../partitions/record-reader.ts';
import { excessOf } from '../retention/size-retention.ts';
import type { LeavingCause, WayOut } from '../retention/way-out.ts';
import type { TopicConfig } from '../topics/topic-config.ts';

/** A topic as far as messages that leave it need it. */
interface LeftTopic extends Topic {
  /** The last message of a key has expired: publishes a marker in its place. */
  leaveMarker(partition: Partition, key: Uint8Array): void;
  /** Called when messages were removed and there is room again. */
  noteRoom(): void;
}

/** The services that the broker offers to messages that leave their topic. */
export interface LeavingHost extends DeadLetterHost {
  readonly pacing: Pacing;
  afterCommit(callback: () => void): void;
}

/** A message that expires, in a topic that marks such keys. */
interface ExpiredKey {
  readonly key: string;
  readonly bytes: Uint8Array | null;
  readonly offset: number;
  readonly isMarker: boolean;
}

/** Messages moved in one turn of the event loop. */
const pieceMessages = 256;
/**
 * How far a partition may exceed its limits while dropped messages are being moved. Beyond this, publishes
 * wait or are refused.
 */
const behindMessagesMax = 4096;
const behindBytesMax = 64 * 1024 * 1024;
const retryDelayMs = 1000;
/** How long messages wait for a dead-letter route that no protocol has registered. */
const routeWaitMs = 60_000;

/**
 * Counts the messages that leave a topic, by cause, and moves them to its dead-letter topics if its policy
 * covers the cause.
 *
 * Without a policy for the cause, a message is removed at once and is not read. With a policy it is read
 * first, and until then the topic stays beyond its limits. Dead letter and removal are one commit. A limit
 * does not wait for a dead-letter topic: if that topic refuses the message, the message is removed all the
 * same and counted as lost. It does wait a minute for a route that no protocol has registered yet.
 */
export class Leaving implements WayOut {
  readonly counts: { -readonly [C in LeavingCause]: number } = { overflow: 0, expired: 0, removed: 0 };
  /** Dead letters of the topic, including those of its groups. */
  deadLettered = 0;
  /** Messages that should have become dead letters but could not. */
  lost = 0;
  readonly #topic: LeftTopic;
  readonly #core: LeavingHost;
  readonly #policies: { [C in LeavingCause]?: ResolvedPolicy | undefined } = {};
  /** Offsets to be removed by limits per key, by partition. */
  readonly #ofKeys = new Map<Partition, OffsetSet>();
  readonly #running = new Set<Partition>();
  readonly #retries = new Map<Partition, Timer>();
  /** When the route of the policy was first missed, on the monotonic clock. */
  #routeMissingSinceMs: number | undefined = undefined;
  #stopped = false;
  readonly #record = new Record();
  readonly #keyReader = new KeyReader();

  constructor(topic: LeftTopic, core: LeavingHost) {
    this.#topic = topic;
    this.#core = core;
  }

  /** Called when the topic's policy has changed. */
  configured(): void {
    for (const cause of ['overflow', 'expired', 'removed'] as const)
      this.#policies[cause] = policyOfTopic(this.#topic, cause);
  }

  /** Whether messages that leave for that cause become dead letters. */
  becomesLetter(cause: LeavingCause): boolean {
    return this.#policies[cause] !== undefined;
  }

  isRead(cause: LeavingCause): boolean {
    return this.becomesLetter(cause) || (cause === 'expired' && this.#marker !== undefined);
  }

  get #marker(): TopicConfig['expiryMarker'] {
    return this.#topic.config.expiryMarker;
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  /** Why a partition accepts no publish until more dropped messages are moved; undefined if it does. */
  refusal(partition: Partition): BrokerError | undefined {
    if (!this.#policies.overflow) return undefined;
    const { messagesMax = Infinity, bytesMax = Infinity, overflow } = this.#topic.config;
    const ofKeys = this.#ofKeys.get(partition)?.size ?? 0;
    const isBehind =
      ofKeys > behindMessagesMax ||
      (overflow === 'drop-oldest' &&
        (partition.count - messagesMax > behindMessagesMax || partition.bytes - bytesMax > behindBytesMax));
    if (!isBehind) return undefined;
    const what = 'is still moving what its limits drop to its dead-letter topic: try again';
    return topicError(this.#topic, 'topic-full', what);
  }

  // ---- limits

  /**
   * Called when the partition is beyond a limit: moves and removes the oldest messages, after reading them.
   */
  moveExcess(partition: Partition): void {
    if (this.#stopped || this.#running.has(partition) || this.#retries.has(partition)) return;
    this.#running.add(partition);
    void this.#moveExcess(partition)
      .catch(() => {
        if (this.#stopped) return; // the log reports its own errors; there will be another attempt
        const retry = this.#core.clock.setTimer(retryDelayMs, () => {
          this.#retries.delete(partition);
          this.moveExcess(partition);
        });
        this.#retries.set(partition, retry);
      })
      .finally(() => this.#running.delete(partition));
  }

  /** Called when a limit per key is to remove this message. */
  moveOfKey(partition: Partition, offset: number): void {
    let offsets = this.#ofKeys.get(partition);
    if (!offsets) this.#ofKeys.set(partition, (offsets = new OffsetSet()));
    offsets.add(offset);
    this.moveExcess(partition);
  }

  async #moveExcess(partition: Partition): Promise<void> {
    const excess = (): ReturnType<typeof excessOf> => excessOf(partition, this.#topic.config);
    if (partition.hasLevels) await this.#moveLowest(partition, excess);
    else
      await this.#moveHead(partition, 'overflow', () => {
        const found = excess();
        return (
          found && { below: partition.offsetOfLast(partition.count - found.count), reason: found.reason }
        );
      });
    const offsets = this.#ofKeys.get(partition);
    if (!offsets) return;
    await this.#moveSome(partition, offsets, 'overflow', 'messagesPerKeyMax');
    if (offsets.size === 0) this.#ofKeys.delete(partition);
    if (excess() || offsets.size > 0) await this.#moveExcess(partition); // messages that came meanwhile
  }

  /** The same in a topic with priorities: the lowest level goes first. */
  async #moveLowest(partition: Partition, excess: () => ReturnType<typeof excessOf>): Promise<void> {
    for (let found = excess(); found && !this.#stopped; found = excess()) {
      const offsets = partition.lowest(Math.min(found.count, pieceMessages));
      if ((await this.#moveSome(partition, offsets, 'overflow', found.reason)) === 0) return;
    }
  }

  // ---- removal on request

  /** Removes all messages below `below`; resolves to the number of removed messages. */
  async removeBelow(partition: Partition, below: number, reason: string): Promise<number> {
    return this.#moveHead(partition, 'removed', () => ({ below, reason }));
  }

  /** Removes these messages; resolves to the number of removed messages. */
  async remove(partition: Partition, offsets: Iterable<number>, reason: string): Promise<number> {
    return this.#moveSome(partition, liveOf(partition, offsets), 'removed', reason);
  }

  /** Removes messages whose time is over; resolves to the number of removed messages. */
  async expire(partition: Partition, offsets: readonly number[], reason: string): Promise<number> {
    if (this.isRead('expired'))
      return this.#moveSome(partition, liveOf(partition, offsets), 'expired', reason);
    let removed = 0;
    for (const offset of offsets) if (partition.remove(offset)) removed++;
    this.counts.expired += removed;
    return removed;
  }

  // ---- piece by piece

  async #moveHead(
    partition: Partition,
    cause: LeavingCause,
    target: () => { readonly below: number; readonly reason: string } | undefined,
  ): Promise<number> {
    let moved = 0;
    for (let at = target(); at && partition.firstOffset < at.below; at = target()) {
      const first = partition.firstOffset;
      const batch = await this.#batchAt(partition, first);
      if (this.#stopped) break;
      const now = target(); // limits and the partition may have changed during the read
      if (!batch || !now) continue;
      const isBehind = batch === 'unreadable' || batch.endOffset <= partition.firstOffset;
      if (isBehind && partition.firstOffset > first) continue; // its messages have gone meanwhile
      if (batch === 'unreadable') moved += this.#lose(partition, partition.firstOffset, cause);
      else moved += this.moveHead(partition, batch, now.below, cause, now.reason);
      this.#topic.noteRoom();
      await this.#core.pacing.wait();
    }
    return moved;
  }

  /**
   * Moves the first messages of a partition, which are in this batch, up to `below`, as many as fit in one
   * turn. Returns the number of removed messages; the partition's first offset shows how far it got. Throws
   * if the messages must wait for their dead-letter route.
   */
  moveHead(partition: Partition, batch: Batch, below: number, cause: LeavingCause, reason: string): number {
    this.#checkRoute(cause);
    const from = partition.firstOffset;
    let end = Math.min(below, Math.max(batch.endOffset, from + 1));
    let bytes = 0;
    let messages = 0;
    const expired: ExpiredKey[] = [];
    const reader = partition.reader();
    const record = this.#record;
    reader.reset(batch, from);
    while (reader.next(record) && record.offset < end) {
      if (!partition.isLive(record.offset)) continue;
      this.#letter(partition, batch, cause, reason);
      if (cause === 'expired' && this.#marker) expired.push(this.#expiredKey());
      bytes += record.buffer === undefined ? 0 : record.valueEnd - Math.max(0, record.valueStart);
      if (++messages >= pieceMessages || bytes >= turnBytes) end = record.offset + 1;
    }
    const before = partition.count;
    for (const { key, offset } of expired) partition.removeOfKey(key, offset);
    partition.trim(end);
    const gone = before - partition.count;
    this.counts[cause] += gone;
    this.#leaveMarkers(partition, expired);
    if (gone > messages && this.becomesLetter(cause)) this.lost += gone - messages; // unreadable
    return gone;
  }

  async #moveSome(
    partition: Partition,
    offsets: OffsetSet,
    cause: LeavingCause,
    reason: string,
  ): Promise<number> {
    this.#checkRoute(cause);
    let moved = 0;
    for (let at = offsets.nextPresent(0); at !== undefined; at = offsets.nextPresent(0)) {
      if (!partition.isLive(at)) {
        offsets.delete(at);
        continue;
      }
      const batch = await this.#batchAt(partition, at);
      if (this.#stopped) break;
      if (!batch) continue;
      if (batch === 'unreadable') {
        offsets.delete(at);
        moved += this.#lose(partition, at, cause);
      } else moved += this.#moveOf(partition, batch, at, offsets, cause, reason);
      this.#topic.noteRoom();
      await this.#core.pacing.wait();
    }
    return moved;
  }

  /**
   * Throws if the route of the policy is missing. Protocols bring theirs a moment after the start, when
   * limits hold already, and messages wait for that. Those of a protocol that is off wait once.
   */
  #checkRoute(cause: LeavingCause): void {
    const to = this.#policies[cause]?.to;
    if (to === undefined || !('route' in to)) return;
    if (this.#core.deadLetterRoute(to.route)) {
      this.#routeMissingSinceMs = undefined;
      return;
    }
    const nowMs = this.#core.clock.monotonic();
    this.#routeMissingSinceMs ??= nowMs;
    if (nowMs - this.#routeMissingSinceMs >= routeWaitMs) return;
    const what = `has no dead-letter route "${to.route}" yet: switch on the protocol that brings it`;
    throw topicError(this.#topic, 'not-allowed', what);
  }

  /** Removes a message that cannot be read, without a dead letter. Returns 0 if it is gone already. */
  #lose(partition: Partition, offset: number, cause: LeavingCause): number {
    if (!partition.remove(offset)) return 0;
    this.counts[cause]++;
    if (this.becomesLetter(cause)) this.lost++;
    return 1;
  }

  #moveOf(
    partition: Partition,
    batch: Batch,
    from: number,
    offsets: OffsetSet,
    cause: LeavingCause,
    reason: string,
  ): number {
    const before = partition.count;
    const reader = partition.reader();
    const record = this.#record;
    let messages = 0;
    let isRead = false;
    const expired: ExpiredKey[] = [];
    reader.reset(batch, from);
    while (messages < pieceMessages && reader.next(record)) {
      const { offset } = record;
      if (offset === from) isRead = true;
      if (!offsets.has(offset)) continue;
      offsets.delete(offset);
      if (!partition.isLive(offset)) continue;
      this.#letter(partition, batch, cause, reason);
      if (cause === 'expired' && this.#marker) expired.push(this.#expiredKey());
      if (partition.keyIndex) partition.removeOfKey(this.#keyReader.read(record), offset);
      else partition.remove(offset);
      messages++;
    }
    if (!isRead) {
      // The message cannot be read, and is removed without a dead letter.
      offsets.delete(from);
      if (partition.remove(from) && this.becomesLetter(cause)) this.lost++;
    }
    const gone = before - partition.count;
    this.counts[cause] += gone;
    this.#leaveMarkers(partition, expired);
    return gone;
  }

  /** The key of the current record, which expires. */
  #expiredKey(): ExpiredKey {
    const { key, offset, headers } = this.#record;
    const { headers: own, alsoMarks = [] } = this.#marker!;
    return {
      key: this.#keyReader.read(this.#record),
      offset,
      bytes: key && Buffer.from(key),
      isMarker: headers.some(
        (header) => header.name === own[0]![0] || alsoMarks.some((mark) => isMark(header, mark)),
      ),
    };
  }

  /** A key without any message left gets a marker, unless its last message was one. */
  #leaveMarkers(partition: Partition, expired: readonly ExpiredKey[]): void {
    for (const { key, bytes, isMarker } of expired) {
      if (isMarker || bytes === null) continue;
      partition.accounting.accountKey(key);
      if (partition.keyIndex && !partition.keyIndex.get(key)) this.#topic.leaveMarker(partition, bytes);
    }
  }

  /** Makes the current record a dead letter, if the policy covers the cause. */
  #letter(partition: Partition, batch: Batch, cause: LeavingCause, reason: string): void {
    const policy = this.#policies[cause];
    if (!policy) return;
    const { offset, key, headers, value, timestampMs } = this.#record;
    const isUndecided = batch.transactional && offset >= partition.undecidedFrom;
    const hasBeen = headers.length > 0 && wasDeadLetterOf(headers, this.#topic.name);
    if (isUndecided || hasBeen) {
      this.lost++; // its transaction may yet abort, or it moves in a circle of dead-letter topics
      return;
    }
    const topics = appendDeadLetter(this.#core, policy, {
      topic: this.#topic,
      group: undefined,
      partition: partition.index,
      offset,
      key,
      headers,
      value,
      priority: partition.levels?.of(offset) ?? 0,
      cause,
      reason: `${cause}: ${reason}`,
      deliveries: 0,
      firstMs: timestampMs,
    });
    if (topics instanceof BrokerError || topics.length === 0) this.lost++;
    else this.deadLettered++;
  }

  /**
   * The batch of a message, or the first one after it that can be read; `unreadable` if there is none. If the
   * message is not durable yet, waits for its commit and resolves to undefined.
   */
  async #batchAt(partition: Partition, offset: number): Promise<Batch | 'unreadable' | undefined> {
    const batch = await partition.batchAt(offset);
    if (batch) return batch;
    if (offset < partition.durableEnd) return 'unreadable';
    await new Promise<void>((resolve) => this.#core.afterCommit(resolve));
    return undefined;
  }
}

function isMark({ name, value }: Header, [markName, markValue]: readonly [string, string]): boolean {
  return name === markName && value !== null && Buffer.from(value).toString('utf8') === markValue;
}

function liveOf(partition: Partition, offsets: Iterable<number>): OffsetSet {
  const live = new OffsetSet();
  for (const offset of offsets) if (partition.isLive(offset)) live.add(offset);
  return live;
}
