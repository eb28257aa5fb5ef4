import type { Delivery as CoreDelivery, Group as CoreGroup } from '../broker/index.ts';
import type { BoxContext } from './context.ts';

/** How a delivery was answered; `undefined` while it was not. */
export type Settlement = 'acked' | 'nacked' | 'rejected';

/** A receipt is what a consumer answers a delivery with. The first answer counts. */
export class Receipt {
  readonly group: CoreGroup;
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
  /** When the consumer's time is up, on the monotonic clock. */
  deadlineMs: number;
  settled: Settlement | undefined;
  readonly #context: BoxContext;

  constructor(context: BoxContext, group: CoreGroup, delivery: CoreDelivery) {
    this.#context = context;
    this.group = group;
    this.partition = delivery.partition;
    this.offset = delivery.record.offset;
    this.deliveries = delivery.deliveries;
    this.deadlineMs = context.clock.monotonic() + this.#waitMs;
    // At most once: nothing is left to answer.
    this.settled = group.config.ack === 'none' ? 'acked' : undefined;
  }

  get #waitMs(): number {
    const { ack, ackWaitMs, backoffMs, backoffReplacesDeadline } = this.group.config;
    if (ack === 'none') return Infinity;
    if (!backoffReplacesDeadline || backoffMs.length === 0) return ackWaitMs;
    return backoffMs[Math.min(this.deliveries, backoffMs.length) - 1]!;
  }

  /** The time is up: the message went back, and may be with somebody else. */
  get isOverdue(): boolean {
    return this.#context.clock.monotonic() >= this.deadlineMs;
  }

  /** Done. True when that counts: it was not answered yet, and still waits for an answer. */
  ack(): boolean {
    return this.#settle('acked') && this.#answered(this.group.ack(this.partition, this.offset));
  }

  nack(delayMs?: number, reason?: string): boolean {
    if (!this.#settle('nacked') || this.isOverdue) return false;
    return this.#answered(this.group.nack(this.partition, this.offset, delayMs, reason));
  }

  reject(reason: string): boolean {
    if (!this.#settle('rejected')) return false;
    return this.#answered(this.group.reject(this.partition, this.offset, reason));
  }

  extend(): boolean {
    if (this.settled || this.isOverdue || !this.group.extend(this.partition, this.offset)) return false;
    this.deadlineMs = this.#context.clock.monotonic() + this.#waitMs;
    return true;
  }

  #settle(how: Settlement): boolean {
    if (this.settled) return false;
    this.settled = how;
    return true;
  }

  #answered(counts: boolean): boolean {
    this.#context.answered(this.group);
    return counts;
  }
}
