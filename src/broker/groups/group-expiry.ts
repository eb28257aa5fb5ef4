import type { Record } from '../../log/index.ts';
import type { Clock, SteadyTime, Timer } from '../../util/index.ts';
import { policyOfGroup } from '../dead-letters/resolved-policy.ts';
import type { Pacing } from '../pacing.ts';
import { KeyReader } from '../partitions/filter.ts';
import type { Partition } from '../partitions/partition.ts';
import type { GroupPartition, TimeLimit } from './group-partition.ts';
import type { GroupState } from './group-state.ts';
import { isToDeliver, type PendingEntry } from './pending.ts';

/** What the expiry of a group needs of the parts around it. */
export interface GroupExpiryHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  /** Gives up a pending message whose time is over. */
  expire(position: GroupPartition, entry: PendingEntry): void;
  /** Called when the group may deliver again. */
  wake(): void;
}

/** Messages ended in one turn of the event loop, and messages on their way to dead-letter topics at once. */
const sliceMessages = 1024;
const checkDelayMsMin = 10;

/**
 * Group expiry ends messages for one group when they are older than its `messageTtlMs`. Other groups still
 * get them.
 *
 * It stores nothing: the time of a message says when it is due. A message is ended when the group comes to
 * it, or when the timer of the oldest one fires. A message that a consumer holds is left to it; if that
 * fails, it is due then.
 */
export class GroupExpiry implements TimeLimit {
  readonly #state: GroupState;
  readonly #host: GroupExpiryHost;
  readonly #keyReader = new KeyReader();
  #timer: Timer | undefined = undefined;
  #timerDueMs = Infinity;
  /** Messages ended in this turn of the event loop. */
  #ended = 0;
  #leaving = 0;
  #isResting = false;
  #stopped = false;

  constructor(state: GroupState, host: GroupExpiryHost) {
    this.#state = state;
    this.#host = host;
  }

  get isFull(): boolean {
    return this.#isResting || this.#leaving >= sliceMessages;
  }

  isOver(partition: Partition, record: Record): boolean {
    return this.#dueMs(partition, record.offset, record.timestampMs) <= this.#host.steady.now();
  }

  /** When a message is due, in steady time; Infinity if the group has no limit. */
  #dueMs(partition: Partition, offset: number, timestampMs: number): number {
    const { messageTtlMs } = this.#state.config;
    if (messageTtlMs === undefined) return Infinity;
    return this.#state.topic.arrivedMs(partition, offset, timestampMs) + messageTtlMs;
  }

  end(position: GroupPartition, record: Record): void {
    const { topic, group, isStored } = this.#state;
    const { offset } = record;
    if (policyOfGroup(group, 'expired')) {
      if (isStored) position.changes.deliveries.push(offset, 0); // as a message that is held
      this.endPending(position, position.pending.add(offset, 0));
    } else {
      this.#state.expired++;
      const key = topic.settlements.needKeys ? this.#keyReader.read(record) : undefined;
      topic.settlements.settled(position.partition, offset, key, group);
    }
    this.#state.noteChange('soon');
    this.#rest();
  }

  endPending(position: GroupPartition, entry: PendingEntry): void {
    this.#state.expired++;
    this.#leaving++;
    this.#host.expire(position, entry);
  }

  /** A message that was given up for its age has reached its dead-letter topics, or is done without. */
  left(): void {
    if (this.#leaving-- === sliceMessages) this.#host.wake();
  }

  /** After a slice, other work gets a turn. */
  #rest(): void {
    if (++this.#ended < sliceMessages || this.#isResting) return;
    this.#isResting = true;
    void this.#host.pacing.wait().then(() => {
      this.#ended = 0;
      this.#isResting = false;
      this.check();
      this.#host.wake();
    });
  }

  // ---- the timer

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The timer is set for the oldest message, or need not be. */
  get isWatching(): boolean {
    return this.#timer !== undefined;
  }

  /** A message is not with a consumer any more: it may be due before its redelivery, or already. */
  watch(position: GroupPartition, { offset, timestampMs }: PendingEntry): void {
    if (this.#state.config.messageTtlMs === undefined) return;
    const isUnread = timestampMs === undefined; // since the last restart
    this.#arm(isUnread ? this.#host.steady.now() : this.#dueMs(position.partition, offset, timestampMs));
  }

  /** Ends what is due, and sets the timer for the next message that will be. */
  check(): void {
    for (const position of this.#state.positions.opened) this.checkOne(position);
  }

  /** The same on one partition. */
  checkOne(position: GroupPartition): void {
    const { messageTtlMs } = this.#state.config;
    if (messageTtlMs === undefined || !this.#state.started || this.#state.moving > 0) return;
    let nextMs = this.#checkPending(position);
    const record = position.peekOldest();
    if (record) nextMs = Math.min(nextMs, this.#dueMs(position.partition, record.offset, record.timestampMs));
    this.#arm(nextMs);
  }

  #checkPending(position: GroupPartition): number {
    const nowMs = this.#host.steady.now();
    let nextMs = Infinity;
    for (const entry of position.pending.values()) {
      if (!isToDeliver(entry)) continue;
      const dueMs = this.#dueOfPending(position, entry);
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
      else if (this.isFull) return nowMs;
      else this.endPending(position, entry);
    }
    return nextMs;
  }

  /** The time of a message that was not delivered since the last restart has to be read. */
  #dueOfPending(position: GroupPartition, entry: PendingEntry): number {
    if (entry.timestampMs === undefined) {
      const record = position.find(entry.offset);
      if (typeof record !== 'object') return Infinity; // it is looked at again when it is loaded
      entry.timestampMs = record.timestampMs;
    }
    return this.#dueMs(position.partition, entry.offset, entry.timestampMs);
  }

  #arm(dueMs: number): void {
    if (this.#stopped || dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(checkDelayMsMin, dueMs - this.#host.steady.now());
    this.#timer = this.#host.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#timerDueMs = Infinity;
      this.check();
      this.#host.wake();
    });
  }
}
