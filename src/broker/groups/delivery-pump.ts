import type { Record } from '../../log/index.ts';
import type { Clock } from '../../util/index.ts';
import type { Attachment } from './attachment.ts';
import type { Delivery } from '../model.ts';
import type { Consumers } from './consumers.ts';
import { KeyReader } from '../partitions/filter.ts';
import type { GroupPartition } from './group-partition.ts';
import type { GroupState } from './group-state.ts';
import { recordBytes } from '../partitions/message.ts';
import type { PendingEntry } from './pending.ts';

/** Deliveries in one run before other work gets a turn. */
const deliveriesPerTurn = 1024;

/** Is told what the delivery pump did. */
export interface DeliveryListener {
  /** Called after a run, with its number of deliveries. */
  delivered(deliveries: number, nowMs: number): void;
  /** The rate of the group keeps a message back, until {@link GroupState.goesOnMs}. */
  keptBack(nowMs: number): void;
  /** The message of a redelivery was removed meanwhile: there is nothing to deliver and nothing to answer. */
  settle(position: GroupPartition, entry: PendingEntry): void;
}

/**
 * The delivery pump moves messages from a group's positions to its consumers while a consumer has credit and
 * there is a message. Redeliveries go first, then the messages at the cursor.
 */
export class DeliveryPump {
  readonly #state: GroupState;
  readonly #listener: DeliveryListener;
  readonly #consumers: Consumers;
  readonly #clock: Clock;
  readonly #keyReader = new KeyReader();
  #scheduled = false;
  /** Each is called once, when there is nothing to deliver. */
  readonly #whenIdle = new Set<() => void>();
  #partitionTurn = 0;
  /**
   * The next delivery, filled in by {@link #nextPosition}. Consumers get this one object, which is reused.
   */
  readonly #delivery: { -readonly [K in keyof Delivery]: Delivery[K] } = {
    record: undefined as unknown as Record,
    partition: 0,
    deliveries: 0,
    attempt: 0,
    priority: 0,
    deadlineMs: Infinity,
    sequence: 0,
    pending: 0,
    bytes: 0,
  };
  /** The highest rank of a message that {@link #nextByLevel} found and that must be loaded first. */
  #loadingRank = -Infinity;
  /** The time of the run of deliveries, by the wall clock: looking once a run saves some 40 ns a message. */
  #wallMs = 0;
  /** The pending entry of the next delivery; undefined if it is a first delivery. */
  #entry: PendingEntry | undefined = undefined;

  constructor(state: GroupState, consumers: Consumers, clock: Clock, listener: DeliveryListener) {
    this.#state = state;
    this.#listener = listener;
    this.#consumers = consumers;
    this.#clock = clock;
  }

  /**
   * Delivers once the current input has been read, however often it is called: one write per connection
   * serves many acks.
   */
  wake(): void {
    if (this.#scheduled || this.#consumers.count === 0) return;
    this.#schedule();
  }

  /** See {@link Group.whenIdle}. */
  whenIdle(callback: () => void): () => void {
    this.#whenIdle.add(callback);
    if (!this.#scheduled) this.#schedule();
    return () => void this.#whenIdle.delete(callback);
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#clock.defer(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    // The topic wakes the group when no expired message is left in front of it.
    if (this.#consumers.count > 0 && !this.#state.topic.expiry.catchUp()) return;
    const isIdle = this.#state.isDelivering ? this.#deliverAll() : this.#state.isResting;
    if (isIdle && this.#whenIdle.size > 0) this.#tellIdle();
  };

  /** A message that is still being loaded from disk counts as something to deliver. */
  #tellIdle(): void {
    if (this.#scheduled || this.#state.isLoading) return;
    const callbacks = [...this.#whenIdle];
    this.#whenIdle.clear();
    for (const callback of callbacks) callback();
  }

  /**
   * Delivers until no consumer has credit, or until there is nothing for the consumers that have. Returns
   * true in the second case.
   */
  #deliverAll(): boolean {
    const { rota } = this.#consumers;
    const nowMs = this.#clock.monotonic();
    this.#wallMs = this.#clock.now();
    const { throttle } = this.#state;
    const room = throttle === undefined ? Infinity : throttle.room(this.#state.inFlight, nowMs);
    let isKeptBack = false;
    let delivered = 0;
    let isIdle = this.#consumers.count === 0;
    let attachment = rota.next();
    for (; attachment; attachment = rota.next()) {
      const { consumer } = attachment;
      if (delivered === deliveriesPerTurn) {
        this.#schedule();
        isIdle = false;
        break;
      }
      const position = this.#nextPosition(attachment);
      if (position && delivered === room) {
        isKeptBack = isIdle = true; // until there is room, there is nothing to deliver
        break;
      }
      if (!position) {
        isIdle = true;
        const { consumersOwnKeys } = this.#state;
        if (consumer.partitions === undefined && !consumersOwnKeys) break;
        // Other consumers may take messages of partitions and keys that this consumer may not have.
        rota.passOver(attachment, consumersOwnKeys ? 'message' : 'run');
        continue;
      }
      const bytes = consumer.sizeOf === undefined ? this.#delivery.bytes : consumer.sizeOf(this.#delivery);
      if (bytes > consumer.creditBytes) {
        rota.passOver(attachment, 'message');
        consumer.refused?.(bytes);
        continue;
      }
      rota.taken(attachment);
      isIdle &&= !this.#state.consumersOwnKeys; // those passed over are asked again
      this.#deliver(position, attachment, nowMs);
      delivered++;
    }
    if (!attachment && rota.holdsBack) isIdle = true;
    rota.runEnded();
    if (throttle !== undefined) {
      throttle.take(delivered, nowMs);
      if (isKeptBack && throttle.keepBack(nowMs)) this.#listener.keptBack(nowMs);
    }
    if (delivered > 0) this.#listener.delivered(delivered, nowMs);
    return isIdle;
  }

  /** The next position with something to deliver, described by `#delivery` and `#entry`. */
  #nextPosition(to: Attachment<PendingEntry>): GroupPartition | undefined {
    if (this.#state.isByLevel) return this.#nextByLevel(to);
    const { partitions } = to.consumer;
    const positions = this.#state.positions.opened;
    for (let i = 0; i < positions.length; i++) {
      if (this.#partitionTurn >= positions.length) this.#partitionTurn = 0;
      const position = positions[this.#partitionTurn++]!;
      if (partitions !== undefined && !partitions.has(position.partition.index)) continue;
      const ready = this.#findReady(position, to);
      if (ready === true) return position;
      if (ready === 'loading') continue; // no new message overtakes a redelivery
      if (this.#findFresh(position, to)) return position;
    }
    return undefined;
  }

  /**
   * The same by level: the position whose next message has the highest rank. Equal ones take turns. A message
   * that is still being loaded is not overtaken by one of a lower rank.
   */
  #nextByLevel(to: Attachment<PendingEntry>): GroupPartition | undefined {
    const { partitions } = to.consumer;
    const positions = this.#state.positions.opened;
    const turn = this.#partitionTurn;
    let best: GroupPartition | undefined;
    let bestRank = -Infinity;
    let described: GroupPartition | undefined;
    this.#loadingRank = -Infinity;
    for (let i = 0; i < positions.length; i++) {
      const at = (turn + i) % positions.length;
      const position = positions[at]!;
      if (partitions !== undefined && !partitions.has(position.partition.index)) continue;
      const rank = this.#findByLevel(position, to);
      if (rank > -Infinity) described = position;
      if (rank <= bestRank) continue;
      best = position;
      bestRank = rank;
      this.#partitionTurn = at + 1;
    }
    if (this.#loadingRank > bestRank) return undefined; // the end of the load wakes the group
    // The look at another position may have put the message in line behind its key meanwhile.
    if (best !== undefined && best !== described && this.#findByLevel(best, to) < bestRank)
      return this.#nextByLevel(to);
    return best;
  }

  /**
   * The rank of the position's next message, described by `#delivery` and `#entry`; -Infinity if there is
   * none now. A redelivery goes before the first deliveries of its rank.
   */
  #findByLevel(position: GroupPartition, to: Attachment<PendingEntry>): number {
    const mayTake = this.#mayTakeFresh(position);
    const fresh = mayTake ? position.peek(to) : undefined;
    const isLoading = mayTake && fresh === undefined && position.isLoading;
    const rank = fresh !== undefined || isLoading ? position.peekedRank : -Infinity;
    const ready = this.#findReady(position, to, rank);
    if (ready === true) return position.rankOf(this.#entry!);
    if (ready === 'loading') this.#noteLoading(position.rankOf(position.nextReady(to, rank)!));
    else if (isLoading) this.#noteLoading(rank);
    if (ready === 'loading' || fresh === undefined) return -Infinity;
    this.#describe(position, fresh, 1, 0);
    this.#entry = undefined;
    return rank;
  }

  #noteLoading(rank: number): void {
    this.#loadingRank = Math.max(this.#loadingRank, rank);
  }

  /** `lowest`: only entries of this rank or a higher one. */
  #findReady(
    position: GroupPartition,
    to: Attachment<PendingEntry>,
    lowest: number = -Infinity,
  ): boolean | 'loading' {
    const { maxInFlight = Infinity } = this.#state.config;
    if (position.pending.inFlight >= maxInFlight) return false; // the limit was lowered
    for (let entry = position.nextReady(to, lowest); entry; entry = position.nextReady(to, lowest)) {
      const record = position.find(entry.offset);
      if (record === 'loading') return 'loading';
      if (record) {
        if (position.timeLimit?.isOver(position.partition, record) === true) {
          position.timeLimit.endPending(position, entry);
          continue;
        }
        if (position.rankOf(entry) === Infinity) {
          entry.timestampMs = record.timestampMs; // now its rank is known
          continue;
        }
        if (!position.mayGo(entry, record)) continue;
        this.#describe(position, record, entry.deliveries + 1, entry.released);
        this.#entry = entry;
        return true;
      }
      // Done with it before it is a dead letter, the group would lose it in a crash.
      if (position.partition.isOverdue(entry.offset)) position.pass(entry);
      else this.#listener.settle(position, entry); // removed meanwhile: nothing to deliver
    }
    return false;
  }

  #mayTakeFresh({ pending, held }: GroupPartition): boolean {
    const { maxInFlight, ack } = this.#state.config;
    return maxInFlight === undefined || ack === 'none' || pending.size - held < maxInFlight;
  }

  #findFresh(position: GroupPartition, to: Attachment<PendingEntry>): boolean {
    if (!this.#mayTakeFresh(position)) return false;
    const record = position.peek(to);
    if (!record) return false;
    this.#describe(position, record, 1, 0);
    this.#entry = undefined;
    return true;
  }

  #describe(position: GroupPartition, record: Record, deliveries: number, released: number): void {
    const delivery = this.#delivery;
    delivery.record = record;
    delivery.partition = position.partition.index;
    delivery.deliveries = deliveries;
    delivery.attempt = deliveries - released;
    delivery.priority = position.partition.levels?.of(record.offset) ?? 0;
    delivery.bytes = recordBytes(record);
  }

  #deliver(position: GroupPartition, attachment: Attachment<PendingEntry>, nowMs: number): void {
    const state = this.#state;
    const delivery = this.#delivery;
    delivery.sequence = ++state.deliverySequence;
    if (!this.#entry) position.take();
    const { uniqueKeys } = state.topic;
    if (uniqueKeys.waiting > 0 && delivery.deliveries === 1)
      uniqueKeys.delivered(delivery.partition, delivery.record.offset);
    if (state.config.ack === 'none') this.#deliverForGood(position, attachment, nowMs);
    else {
      delivery.deadlineMs = this.#makePending(position, attachment, nowMs);
      delivery.pending = state.lag;
      attachment.consumer.receive(delivery);
    }
  }

  /** At most once: the message is done as soon as it is delivered. */
  #deliverForGood(position: GroupPartition, { consumer }: Attachment<PendingEntry>, nowMs: number): void {
    const { settlements } = this.#state.topic;
    const { record } = this.#delivery;
    const { offset } = record;
    const key = settlements.needKeys ? this.#keyReader.read(record) : undefined;
    if (this.#entry) {
      position.settle(this.#entry);
      if (this.#state.isStored) position.changes.done.add(offset);
    } else if (this.#state.isStored && position.isAhead(offset)) {
      position.changes.entered.add(offset);
      position.changes.done.add(offset);
    }
    position.noteDeliveredForGood(record, nowMs);
    this.#delivery.deadlineMs = Infinity;
    this.#delivery.pending = this.#state.lag;
    consumer.receive(this.#delivery);
    settlements.settled(position.partition, offset, key, this.#state.group);
  }

  /** Returns the deadline of the delivery. */
  #makePending(position: GroupPartition, attachment: Attachment<PendingEntry>, nowMs: number): number {
    const state = this.#state;
    const { record, sequence } = this.#delivery;
    let entry = this.#entry;
    if (entry) {
      if (state.isStored) position.changes.deliveries.push(entry.offset, entry.deliveries + 1);
    } else {
      entry = position.pending.add(record.offset, 0);
      if (state.isStored) position.changes.entered.add(record.offset);
      if (position.byLevel) entry.level = this.#delivery.priority;
    }
    if (state.topic.settlements.needKeys) entry.key ??= this.#keyReader.read(record);
    entry.timestampMs = record.timestampMs;
    position.noteOut(entry, record, attachment, nowMs);
    const { ackWaitMs } = attachment.consumer;
    const waitMs = ackWaitMs ?? state.deadlineMs(entry.deliveries + 1);
    position.pending.deliver(entry, attachment, nowMs, waitMs, ackWaitMs !== undefined);
    if (ackWaitMs !== undefined && state.isStored) position.changes.waits.add(entry.offset);
    entry.noteDelivery(sequence, this.#wallMs);
    return entry.dueMs;
  }
}
