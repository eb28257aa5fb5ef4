import { deadLetter } from '../dead-letters/dead-letter.ts';
import type { GroupDeadLetterCause } from '../dead-letters/dead-letter-policy.ts';
import { policyOfGroup } from '../dead-letters/resolved-policy.ts';
import type { DeliveryEvent } from '../events.ts';
import { GroupExpiry } from './group-expiry.ts';
import type { GroupPartition } from './group-partition.ts';
import type { GroupHost, GroupState } from './group-state.ts';
import type { GroupTimers } from './group-timers.ts';
import { PendingState, isToDeliver, type PendingEntry } from './pending.ts';

const waitMsMax = 2 ** 31 - 1;
const deadLetterRetryMs = 1000;
/** Characters kept of the reason of a failed delivery. */
const failureLengthMax = 200;

/**
 * Handles the consumers' answers to deliveries, and passed deadlines. A message is then done, goes back to
 * the queue after its backoff, or becomes a dead letter. The states are those of pending.ts.
 */
export class Answers {
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #timers: GroupTimers;
  readonly #wake: () => void;
  /** Ends messages that are too old for the group. */
  readonly expiry: GroupExpiry;

  /** `wake` is called when there may be something to deliver. */
  constructor(state: GroupState, host: GroupHost, timers: GroupTimers, wake: () => void) {
    this.expiry = new GroupExpiry(state, {
      clock: host.clock,
      steady: host.steady,
      pacing: host.pacing,
      expire: (position, entry) => this.#expired(position, entry),
      wake,
    });
    this.#state = state;
    this.#host = host;
    this.#timers = timers;
    this.#wake = wake;
  }

  /** See {@link Group.ack}. */
  ack(position: GroupPartition | undefined, offset: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#noteAnswer(entry);
    this.#acked(position, entry);
    return true;
  }

  /** An answer is a sign of life of the consumer. */
  #noteAnswer({ holder }: PendingEntry): void {
    this.#state.active?.answered(holder);
  }

  /** See {@link Group.ackAll}. */
  ackAll(position: GroupPartition | undefined, offset: number): boolean {
    const last = position?.pending.get(offset);
    if (!position || !last || !isAnswerable(last)) return false;
    this.#noteAnswer(last);
    // All are found first: room made by an ack may push pending messages out of the topic, the last one too.
    const covered: PendingEntry[] = [];
    for (const entry of position.pending.values()) {
      covered.push(entry);
      if (entry === last) break; // later entries were delivered after it
    }
    for (const entry of covered) if (isAnswerable(entry)) this.#acked(position, entry);
    return true;
  }

  #acked(position: GroupPartition, entry: PendingEntry): void {
    this.#state.lastAckMs = this.#host.clock.now();
    this.#state.ackRate.count++;
    this.settle(position, entry);
    this.#state.noteChange('now');
  }

  /** Called after offsets were committed: everything between `before` and the cursor is done. */
  passed(position: GroupPartition, before: number): void {
    const { partition, cursor } = position;
    this.#state.lastAckMs = this.#host.clock.now();
    const passed = partition.liveIn(before, cursor);
    this.#state.deliverRate.count += passed;
    this.#state.ackRate.count += passed;
    if (passed === 0) return;
    this.#state.topic.uniqueKeys.passed(partition.index, before, cursor);
    this.#state.topic.settlements.passed(partition, before, cursor, this.#state.group);
  }

  /** See {@link Group.nack}. */
  nack(position: GroupPartition | undefined, offset: number, delayMs?: number, reason: string = ''): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    this.#noteAnswer(entry);
    entry.failure = reason === '' ? undefined : shortened(reason);
    this.#host.emit({ kind: 'nacked', reason: entry.failure, ...this.#describe(position, entry) });
    this.#failed(position, entry, delayMs ?? this.#backoffMs(entry.deliveries));
    return true;
  }

  /** See {@link Group.extend}. */
  extend(position: GroupPartition | undefined, offset: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    const nowMs = this.#host.clock.monotonic();
    this.#noteAnswer(entry);
    const ownWaitMs = entry.holder?.consumer.ackWaitMs;
    if (ownWaitMs !== undefined) position.pending.extendUntil(entry, nowMs + ownWaitMs);
    else position.pending.extend(entry, nowMs, this.#state.deadlineMs(entry.deliveries));
    this.armDeadline(nowMs); // the previous deadline may have been later
    this.#deadlineMoved(position, entry);
    return true;
  }

  /** See {@link Group.setDeadline}. */
  setDeadline(position: GroupPartition | undefined, offset: number, ms: number): boolean {
    const entry = position?.pending.get(offset);
    if (!position || entry?.state !== PendingState.inFlight) return false;
    this.#noteAnswer(entry);
    const nowMs = this.#host.clock.monotonic();
    position.pending.extendUntil(entry, nowMs + Math.min(Math.max(0, ms), waitMsMax));
    this.armDeadline(nowMs);
    this.#deadlineMoved(position, entry);
    return true;
  }

  /**
   * Stores the new deadline if a restart would keep the entry in flight until then. See
   * {@link Group.recovered}.
   */
  #deadlineMoved(position: GroupPartition, entry: PendingEntry): void {
    const { isStored, config } = this.#state;
    const staysOut = config.redeliverAfterRestart === 'at-deadline' || this.#isExhausted(entry);
    if (!isStored || !staysOut) return;
    position.changes.waits.add(entry.offset);
    this.#state.noteChange('soon');
  }

  /** See {@link Group.giveBack}; `untilMs` as in {@link release}. */
  giveBack(position: GroupPartition, entry: PendingEntry, untilMs?: number): void {
    this.#noteAnswer(entry);
    this.release(position, entry, untilMs);
  }

  /**
   * A consumer gives the entry back, for example as it leaves. The entry is redelivered at once, or not
   * before `untilMs`; this is not a failure.
   */
  release(position: GroupPartition, entry: PendingEntry, untilMs?: number): void {
    entry.failure = undefined;
    entry.released++;
    if (this.#state.isStored) position.changes.released.push(entry.offset, entry.released);
    if (this.#isExhausted(entry)) return this.#exhausted(position, entry); // the limit was lowered meanwhile
    if (untilMs === undefined) position.makeReady(entry);
    else {
      position.wait(entry, untilMs);
      this.#deadlineMoved(position, entry);
    }
    this.expiry.watch(position, entry);
    this.#state.topic.expiry.released(position.partition, entry.offset);
  }

  /** See {@link Group.reject}. */
  reject(position: GroupPartition | undefined, offset: number, reason: string): boolean {
    const entry = position?.pending.get(offset);
    if (!position || !entry || !isAnswerable(entry)) return false;
    this.#noteAnswer(entry);
    this.#host.emit({ kind: 'rejected', reason, ...this.#describe(position, entry) });
    if (!policyOfGroup(this.#state.group, 'rejected')) {
      this.settle(position, entry); // no dead-letter policy: as good as acked
      this.#state.noteChange('now');
    } else this.#giveUp(position, entry, 'rejected', reason === '' ? 'rejected' : `rejected: ${reason}`);
    return true;
  }

  // ---- time

  /** Sets the timer to the next deadline or end of a wait on any partition, or to the end of a hold. */
  armDeadline(nowMs: number): void {
    let dueMs = this.#state.goesOnMs(nowMs);
    for (const position of this.#state.positions.opened) dueMs = Math.min(dueMs, position.nextDueMs());
    this.#timers.armDeadline(dueMs, nowMs, this.#onDue);
  }

  readonly #onDue = (): void => {
    const nowMs = this.#host.clock.monotonic();
    for (const position of this.#state.positions.opened) this.#expire(position, nowMs);
    this.armDeadline(nowMs);
    this.#wake();
  };

  /** A passed deadline counts as a failure; a wait that is over makes its message ready. */
  #expire(position: GroupPartition, nowMs: number): void {
    position.expire(nowMs, (entry) => {
      entry.failure = undefined; // no reason was given this time
      this.#failed(position, entry, this.#backoffMs(entry.deliveries));
    });
  }

  /** The message is done: it is no longer pending, and the topic may remove it. */
  settle(position: GroupPartition, entry: PendingEntry): void {
    const { topic, group } = this.#state;
    position.settle(entry);
    this.#finished(position, entry);
    topic.settlements.settled(position.partition, entry.offset, entry.key, group);
    topic.expiry.released(position.partition, entry.offset);
  }

  /** Messages in `[from, to)` were removed: drops their pending entries. Returns whether there were any. */
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

  /** During a replay nothing is recorded, because the journal entry of the removal already implies it. */
  #forget(position: GroupPartition, entry: PendingEntry | undefined): void {
    if (!entry) return;
    position.settle(entry);
    if (this.#state.isStored && !this.#host.recovering) position.changes.done.add(entry.offset);
  }

  /** 0 if the backoff serves as the deadline: the time was already spent waiting. */
  #backoffMs(deliveries: number): number {
    const { backoffMs, backoffJitter, backoffMeans } = this.#state.config;
    if (backoffMeans === 'deadline' || backoffMs.length === 0) return 0;
    const delayMs = backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
    return delayMs * (1 - backoffJitter * this.#host.random.next());
  }

  /** After the limit was lowered: gives up messages that have already failed that often. */
  giveUpExhausted(position: GroupPartition): void {
    for (const entry of position.pending.values()) {
      if (!isToDeliver(entry) || !this.#isExhausted(entry)) continue;
      this.#exhausted(position, entry);
    }
  }

  /** A message that is too old is given up, or done if there is no dead-letter policy for that. */
  #expired(position: GroupPartition, entry: PendingEntry): void {
    if (policyOfGroup(this.#state.group, 'expired'))
      return this.#giveUp(position, entry, 'expired', 'expired: messageTtlMs', () => this.expiry.left());
    this.settle(position, entry);
    this.expiry.left();
    this.#state.noteChange('soon');
  }

  #isExhausted({ attempts }: PendingEntry): boolean {
    const { maxDeliver } = this.#state.config;
    return maxDeliver !== undefined && attempts >= maxDeliver;
  }

  #exhausted(position: GroupPartition, entry: PendingEntry): void {
    this.#host.emit({ kind: 'max-deliveries', ...this.#describe(position, entry) });
    const { failure } = entry;
    const reason = failure === undefined ? 'max-deliveries' : `max-deliveries: ${failure}`;
    this.#giveUp(position, entry, 'max-deliveries', reason);
  }

  #failed(position: GroupPartition, entry: PendingEntry, delayMs: number): void {
    if (this.#isExhausted(entry)) return this.#exhausted(position, entry);
    if (delayMs > 0) {
      const nowMs = this.#host.clock.monotonic();
      position.wait(entry, nowMs + Math.min(delayMs, waitMsMax));
      this.armDeadline(nowMs);
      this.#deadlineMoved(position, entry);
    } else position.makeReady(entry);
    this.expiry.watch(position, entry);
    this.#wake(); // also if it waits: it has made room
    this.#state.topic.expiry.released(position.partition, entry.offset);
  }

  /**
   * Ends a message that will not be delivered again. The dead letter and the ack of the original are one
   * commit. `ended` is called when the message is no longer pending.
   */
  #giveUp(
    position: GroupPartition,
    entry: PendingEntry,
    cause: GroupDeadLetterCause,
    reason: string,
    ended: () => void = () => {},
  ): void {
    const policy = policyOfGroup(this.#state.group, cause);
    if (policy === undefined) {
      // The message stays in the topic, whatever the retention, because no consumer has acked it.
      position.giveUp(entry);
      this.#finished(position, entry);
      this.#state.topic.expiry.released(position.partition, entry.offset);
      this.#state.noteChange('now');
      return ended();
    }
    position.leaveForGood(entry);
    this.#wake(); // it is in flight no more
    deadLetter(this.#host, {
      ...this.#describe(position, entry),
      partition: position.partition,
      firstDeliveredMs: entry.firstDeliveredMs,
      policy,
      cause,
      reason,
      isPending: () => !this.#state.closed && position.pending.get(entry.offset) === entry,
      moved: (isLetter) => {
        if (isLetter) this.#state.topic.leaving.deadLettered++;
        this.settle(position, entry);
        this.#state.noteChange('now');
      },
    }).then(ended, () => {
      // The message could not be read, or the dead-letter topic is full: the entry stays pending and is tried
      // again.
      this.#host.clock.setTimer(deadLetterRetryMs, () => {
        if (!this.#state.closed && position.pending.has(entry.offset))
          this.#giveUp(position, entry, cause, reason, ended);
        else ended();
      });
    });
  }

  /** The entry is no longer pending. */
  #finished(position: GroupPartition, entry: PendingEntry): void {
    if (this.#state.isStored) position.changes.done.add(entry.offset);
    this.#wake();
  }

  #describe(position: GroupPartition, { offset, deliveries, sequence }: PendingEntry): DeliveryEvent {
    return { group: this.#state.group, partition: position.partition.index, offset, deliveries, sequence };
  }
}

/** The reason as it is stored: bounded, and not cut within a surrogate pair. */
function shortened(reason: string): string {
  if (reason.length <= failureLengthMax) return reason;
  return `${reason.slice(0, failureLengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Whether the message was delivered and is not yet given up. */
function isAnswerable(entry: PendingEntry): boolean {
  return entry.deliveries > 0 && entry.state !== PendingState.leaving;
}
