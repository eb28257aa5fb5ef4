import {
  BrokerError,
  Receipt as CoreReceipt,
  type Delivery as CoreDelivery,
  type Group as CoreGroup,
  type PostponeScope,
} from '../broker/index.ts';
import type { BoxContext } from './context.ts';

/**
 * How a delivery was answered; `undefined` while unanswered. `released`: it went back unhandled because its
 * consumer closed. `postponed`: it went back unhandled because its consumer said "not now".
 */
export type Settlement = 'acked' | 'nacked' | 'rejected' | 'released' | 'postponed';

/** A receipt answers a delivery. Only the first answer counts, and none after the message went elsewhere. */
export class Receipt {
  readonly group: CoreGroup;
  readonly priority: number;
  /** The deadline for the answer, on the monotonic clock. */
  deadlineMs: number;
  settled: Settlement | undefined;
  readonly #context: BoxContext;
  readonly #receipt: CoreReceipt;

  constructor(context: BoxContext, group: CoreGroup, delivery: CoreDelivery) {
    this.#context = context;
    this.group = group;
    this.priority = delivery.priority;
    this.#receipt = CoreReceipt.of(group, delivery);
    this.deadlineMs = delivery.deadlineMs;
    // At most once: nothing is left to answer.
    this.settled = group.config.ack === 'none' ? 'acked' : undefined;
  }

  get partition(): number {
    return this.#receipt.partition;
  }

  get offset(): number {
    return this.#receipt.offset;
  }

  get deliveries(): number {
    return this.#receipt.delivery;
  }

  /** The time is up: the message went back, and another consumer may have it. */
  get isOverdue(): boolean {
    return this.#context.clock.monotonic() >= this.deadlineMs;
  }

  /** Returns true if the ack counts: the message was neither answered yet nor delivered again. */
  ack(): boolean {
    return this.#settle('acked') && this.#answered(this.#receipt.ack());
  }

  nack(delayMs?: number, reason?: string): boolean {
    if (!this.#settle('nacked') || this.isOverdue) return false;
    return this.#answered(this.#receipt.nack(delayMs, reason));
  }

  reject(reason: string): boolean {
    if (!this.#settle('rejected')) return false;
    return this.#answered(this.#receipt.reject(reason));
  }

  /** Gives the message back at once, unhandled; that is no failure. */
  release(): boolean {
    if (!this.#settle('released') || this.isOverdue) return false;
    return this.#answered(this.#receipt.release());
  }

  /**
   * Not now: the message, its key or the group is not delivered before `delayMs` from now. That is no
   * failure. A key may be refused its hold for want of room; with `or-message` the message waits alone then.
   */
  postpone(delayMs: number, scope: PostponeScope, refused: 'throw' | 'or-message' = 'throw'): boolean {
    if (this.settled || this.isOverdue) return false;
    let counts: boolean;
    try {
      counts = this.#receipt.postpone(delayMs, scope);
    } catch (error) {
      if (refused === 'throw' || !(error instanceof BrokerError)) throw error;
      counts = this.#receipt.postpone(delayMs);
    }
    this.settled = 'postponed';
    return this.#answered(counts);
  }

  /** Starts the full wait again. */
  extend(): boolean {
    if (this.settled || this.isOverdue || !this.#receipt.isCurrent) return false;
    if (!this.group.extend(this.partition, this.offset)) return false;
    this.deadlineMs = this.#context.clock.monotonic() + this.group.deadlineMs(this.deliveries);
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
