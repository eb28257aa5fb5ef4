import type * as model from '../model.ts';
import type { Delivery, PostponeScope } from '../model.ts';

/** The part of a group that its receipts use. */
export interface ReceiptGroup extends model.Group {
  /** Whether the receipt is for the last delivery of its message, and the message is not done. */
  isCurrent(receipt: Receipt): boolean;
  /** How often the position on a partition was reset, which makes receipts stale. */
  movesOf(partition: number): number;
}

/**
 * A receipt stands for one delivery of one message to one consumer. Its holder uses it to settle the message,
 * or to move the deadline. A receipt is stale, and settles nothing, once the message is done or was delivered
 * again, or once the group's position was reset (deliveries then count from 1 again).
 *
 * A receipt written by {@link writeReceipt} survives a restart of the broker. The count of deliveries is
 * stored a moment after the delivery, so after a crash two deliveries may have the same number. A receipt
 * from an earlier run is therefore stale, too, once its message was delivered in this run. A receipt from
 * before such a crash and one from the run after it are not told apart in a third run.
 */
export class Receipt implements model.Receipt {
  readonly group: ReceiptGroup;
  readonly partition: number;
  readonly offset: number;
  /** Number of this delivery of the message, from 1. */
  readonly delivery: number;
  readonly isOfThisRun: boolean;
  /** How often the position on the partition had been reset. */
  readonly move: number;

  constructor(
    group: ReceiptGroup,
    partition: number,
    offset: number,
    delivery: number,
    isOfThisRun: boolean = true,
    move: number = group.movesOf(partition),
  ) {
    this.group = group;
    this.partition = partition;
    this.offset = offset;
    this.delivery = delivery;
    this.isOfThisRun = isOfThisRun;
    this.move = move;
  }

  static of(group: ReceiptGroup, { partition, record, deliveries }: Delivery): Receipt {
    return new Receipt(group, partition, record.offset, deliveries);
  }

  /** Whether the receipt can still settle its message. */
  get isCurrent(): boolean {
    return this.group.isCurrent(this);
  }

  /** The message is done. All answers return false if the receipt is stale. */
  ack(): boolean {
    return this.isCurrent && this.group.ack(this.partition, this.offset);
  }

  /** The delivery failed: see `Group.nack`. */
  nack(delayMs?: number, reason?: string): boolean {
    return this.isCurrent && this.group.nack(this.partition, this.offset, delayMs, reason);
  }

  /** The message is never delivered again: see `Group.reject`. */
  reject(reason: string = ''): boolean {
    return this.isCurrent && this.group.reject(this.partition, this.offset, reason);
  }

  /** The message is given back: it is redelivered at once, which is not a failure. See `Group.giveBack`. */
  release(): boolean {
    return this.isCurrent && this.group.giveBack(this.partition, this.offset);
  }

  /** Not now: see `Group.postpone`. */
  postpone(ms: number, scope?: PostponeScope): boolean {
    return this.isCurrent && this.group.postpone(this.partition, this.offset, ms, scope);
  }

  /** Sets the deadline to this many milliseconds from now. */
  setDeadline(ms: number): boolean {
    return this.isCurrent && this.group.setDeadline(this.partition, this.offset, ms);
  }
}

/** Encodes a receipt, with the run of the broker it belongs to. */
export function writeReceipt({ group, partition, offset, delivery, move }: Receipt, run: string): string {
  const numbers = [group.id, partition, offset, delivery, move];
  return `${numbers.map((number) => number.toString(36)).join('.')}.${run}`;
}

/** A receipt encoded by {@link writeReceipt}; undefined if the text is none, or if its group is gone. */
export function readReceipt(
  text: string,
  run: string,
  groupOf: (id: number) => ReceiptGroup | undefined,
): Receipt | undefined {
  const match = /^((?:[0-9a-z]{1,11}\.){5})([0-9a-z]{1,16})$/.exec(text);
  if (!match) return undefined;
  const numbers = match[1]!.split('.').map((digits) => Number.parseInt(digits, 36));
  const [id, partition, offset, delivery, move] = numbers;
  const group = groupOf(id!);
  return group && new Receipt(group, partition!, offset!, delivery!, match[2] === run, move);
}
