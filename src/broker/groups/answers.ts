import type { BrokerCore } from '../core.ts';
import { deadLetter } from '../dead-letters/dead-letter.ts';
import { policyOfGroup, type GroupDeadLetterCause } from '../dead-letters/dead-letter-policy.ts';
import type { Group } from './group.ts';
import type { GroupPartition } from './group-partition.ts';
import { PendingState, type PendingEntry } from './pending.ts';

const waitMsMax = 2 ** 31 - 1;
const deadLetterRetryMs = 1000;
/** Characters kept of why a delivery failed. */
const failureLengthMax = 200;

/**
 * What consumers answer to deliveries, and what their silence means: from here a message is done, goes back
 * to the queue after its backoff, or becomes a dead letter. The states are those of pending.ts.
 */
export class Answers {
  readonly #group: Group;
  readonly #core: BrokerCore;
  #lastAckMs: number | undefined = undefined;

  constructor(group: Group, core: BrokerCore) {
    this.#group = group;
    this.#core = core;
  }

  /** When the last ack came, in milliseconds since the epoch. */
  get lastAckMs(): number | undefined {
    return this.#lastAckMs;
  }

  forgetTimes(): void {
    this.#lastAckMs = undefined;
  }

  /** See {@link Group.ack}. */
  ack(position: GroupPartition | undefined, offset: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#acked(position, entry);
    return true;
  }

  /** See {@link Group.ackAll}. */
  ackAll(position: GroupPartition | undefined, offset: number): boolean {
    const last = position?.pending.get(offset);
    if (!position || !last || !isAnswerable(last)) return false;
    for (const entry of position.pending.values()) {
      if (entry.offset > offset) break;
      if (isAnswerable(entry)) this.#acked(position, entry);
    }
    return true;
  }

  #acked(position: GroupPartition, entry: PendingEntry): void {
    this.#lastAckMs = this.#core.clock.now();
    this.#group.ackRate.count++;
    this.settle(position, entry);
    this.#group.noteChange('now');
  }

  /** Offsets were committed: what lies between `before` and the cursor is done. */
  passed(position: GroupPartition, before: number): void {
    const { partition, cursor } = position;
    this.#lastAckMs = this.#core.clock.now();
    const passed = partition.liveIn(before, cursor);
    this.#group.deliverRate.count += passed;
    this.#group.ackRate.count += passed;
    if (passed > 0) this.#group.topic.passed(partition, before, cursor, this.#group);
  }

  /** See {@link Group.nack}. */
  nack(position: GroupPartition | undefined, offset: number, delayMs?: number, reason: string = ''): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    entry.failure = reason === '' ? undefined : shortened(reason);
    this.#core.emit({ kind: 'nacked', reason: entry.failure, ...this.#describe(position, entry) });
    this.#failed(position, entry, delayMs ?? this.#backoffMs(entry.deliveries));
    return true;
  }

  /** See {@link Group.extend}. */
  extend(position: GroupPartition | undefined, offset: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    const nowMs = this.#core.clock.monotonic();
    const ownWaitMs = entry.holder?.consumer.ackWaitMs;
    if (ownWaitMs !== undefined) position.pending.extendUntil(entry, nowMs + ownWaitMs);
    else position.pending.extend(entry, nowMs, this.#group.deadlineMs(entry.deliveries));
    this.#group.armDeadline(nowMs); // a deadline that was set may have been later
    this.#deadlineMoved(position, entry);
    return true;
  }

  /** See {@link Group.setDeadline}. */
  setDeadline(position: GroupPartition | undefined, offset: number, ms: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    const nowMs = this.#core.clock.monotonic();
    position.pending.extendUntil(entry, nowMs + Math.min(Math.max(0, ms), waitMsMax));
    this.#group.armDeadline(nowMs);
    this.#deadlineMoved(position, entry);
    return true;
  }

  /** A start reads it back, where the entry would not go out again at once. See {@link Group.recovered}. */
  #deadlineMoved(position: GroupPartition, entry: PendingEntry): void {
    const { isStored, config } = this.#group;
    const staysOut = config.redeliverAfterRestart === 'at-deadline' || this.#isExhausted(entry);
    if (!isStored || !staysOut) return;
    position.changes.waits.add(entry.offset);
    this.#group.noteChange('soon');
  }

  /** A consumer gives the entry back as it leaves: it goes out again at once, and did not fail. */
  release(position: GroupPartition, entry: PendingEntry): void {
    entry.failure = undefined;
    entry.released++;
    if (this.#group.isStored) position.changes.released.push(entry.offset, entry.released);
    if (this.#isExhausted(entry)) return this.#exhausted(position, entry); // the limit was lowered meanwhile
    position.pending.makeReady(entry);
  }

  /** See {@link Group.reject}. */
  reject(position: GroupPartition | undefined, offset: number, reason: string): boolean {
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#core.emit({ kind: 'rejected', reason, ...this.#describe(position, entry) });
    if (!policyOfGroup(this.#group, 'rejected')) {
      this.settle(position, entry); // nobody wants it: as good as acked
      this.#group.noteChange('now');
    } else this.#giveUp(position, entry, 'rejected', reason === '' ? 'rejected' : `rejected: ${reason}`);
    return true;
  }

  /** Deadlines that have passed are failures; waits that are over make their messages ready. */
  expire(position: GroupPartition, nowMs: number): void {
    position.pending.expire(nowMs, (entry) => {
      entry.failure = undefined; // nobody said anything this time
      this.#failed(position, entry, this.#backoffMs(entry.deliveries));
    });
  }

  /** Done: not pending any more, and the topic may let the message go. */
  settle(position: GroupPartition, entry: PendingEntry): void {
    this.#finish(position, entry);
    this.#group.topic.settled(position.partition, entry.offset, entry.key, this.#group);
  }

  /** Messages in `[from, to)` are gone, and with them what is pending of them; says whether anything was. */
  removed(position: GroupPartition, from: number, to: number): boolean {
    const { pending } = position;
    const before = pending.size;
    if (to - from <= before) {
      for (let offset = from; offset < to; offset++) this.#forget(position, pending.get(offset));
    } else {
      for (const entry of pending.values())
        if (entry.offset >= from && entry.offset < to) this.#forget(position, entry);
    }
    return pending.size < before;
  }

  /** While the journal is replayed the removal itself says it all. */
  #forget(position: GroupPartition, entry: PendingEntry | undefined): void {
    if (!entry) return;
    position.settle(entry);
    if (this.#group.isStored && !this.#core.recovering) position.changes.done.add(entry.offset);
  }

  /** None where the backoff replaces deadlines: it was waited for already. */
  #backoffMs(deliveries: number): number {
    const { backoffMs, backoffJitter, backoffMeans } = this.#group.config;
    if (backoffMeans === 'deadline' || backoffMs.length === 0) return 0;
    const delayMs = backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
    return delayMs * (1 - backoffJitter * this.#core.random.next());
  }

  /** Gives up what has failed as often as the group's limit allows, after the limit was lowered. */
  giveUpExhausted(position: GroupPartition): void {
    for (const entry of position.pending.values()) {
      const { state } = entry;
      if (state === PendingState.inFlight || state === PendingState.leaving || !this.#isExhausted(entry))
        continue;
      this.#exhausted(position, entry);
    }
  }

  #isExhausted({ attempts }: PendingEntry): boolean {
    const { maxDeliver } = this.#group.config;
    return maxDeliver !== undefined && attempts >= maxDeliver;
  }

  #exhausted(position: GroupPartition, entry: PendingEntry): void {
    this.#core.emit({ kind: 'max-deliveries', ...this.#describe(position, entry) });
    const { failure } = entry;
    const reason = failure === undefined ? 'max-deliveries' : `max-deliveries: ${failure}`;
    this.#giveUp(position, entry, 'max-deliveries', reason);
  }

  #failed(position: GroupPartition, entry: PendingEntry, delayMs: number): void {
    if (this.#isExhausted(entry)) return this.#exhausted(position, entry);
    if (delayMs > 0) {
      const nowMs = this.#core.clock.monotonic();
      position.pending.wait(entry, nowMs + Math.min(delayMs, waitMsMax));
      this.#group.armDeadline(nowMs);
      this.#deadlineMoved(position, entry);
    } else {
      position.pending.makeReady(entry);
      this.#group.wake();
    }
  }

  /** Ends a message that will not be delivered again: dead letter and ack of the origin in one commit. */
  #giveUp(position: GroupPartition, entry: PendingEntry, cause: GroupDeadLetterCause, reason: string): void {
    const policy = policyOfGroup(this.#group, cause);
    if (policy === undefined) {
      // It stays where it is, whatever the retention: nobody has answered for it.
      this.#finish(position, entry);
      this.#group.noteChange('now');
      return;
    }
    position.leaveForGood(entry);
    const moved = (): void => {
      this.settle(position, entry);
      this.#group.noteChange('now');
    };
    deadLetter(this.#core, this.#group, position, entry, { policy, cause, reason, moved }).catch(() => {
      // It could not be read now, or its dead-letter topic is full: it stays pending, and another try
      // follows.
      this.#core.clock.setTimer(deadLetterRetryMs, () => {
        if (!this.#group.isClosed && position.pending.has(entry.offset))
          this.#giveUp(position, entry, cause, reason);
      });
    });
  }

  #finish(position: GroupPartition, entry: PendingEntry): void {
    position.settle(entry);
    if (this.#group.isStored) position.changes.done.add(entry.offset);
    this.#group.wake();
  }

  #describe(
    position: GroupPartition,
    { offset, deliveries, sequence }: PendingEntry,
  ): {
    readonly group: Group;
    readonly partition: number;
    readonly offset: number;
    readonly deliveries: number;
    readonly sequence: number;
  } {
    return { group: this.#group, partition: position.partition.index, offset, deliveries, sequence };
  }
}

/** A reason as it is kept: bounded, and not cut within a character. */
function shortened(reason: string): string {
  if (reason.length <= failureLengthMax) return reason;
  return `${reason.slice(0, failureLengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** It was delivered, and nobody has decided about it. */
function isAnswerable(entry: PendingEntry): boolean {
  return entry.deliveries > 0 && entry.state !== PendingState.leaving;
}
