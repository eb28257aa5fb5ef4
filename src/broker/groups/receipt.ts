import type * as model from '../model.ts';
import type { Delivery } from '../model.ts';

/** A group as its receipts know it. */
export interface ReceiptGroup extends model.Group {
  /** Whether a delivery is the last one of its message, and the message not done. */
  isCurrent(receipt: Receipt): boolean;
  /** How often the group was moved on a partition, which makes receipts stale. */
  movesOf(partition: number): number;
}

/**
 * A receipt stands for one delivery of one message to one consumer. Its holder settles the message with it,
 * or moves its deadline. A receipt is stale once the message is done or was delivered again, or its group was
 * moved (which counts deliveries from 1 again), and then settles nothing.
 *
 * Written down by {@link writeReceipt} it survives a restart of the broker. The count of deliveries is stored
 * a moment after the delivery, so a crash may give one number to two deliveries; a receipt from an earlier
 * run is therefore stale, too, once its message was delivered in this run.
 */
export class Receipt implements model.Receipt {
  readonly group: ReceiptGroup;
  readonly partition: number;
  readonly offset: number;
  /** Which delivery of the message it was, from 1. */
  readonly delivery: number;
  readonly isOfThisRun: boolean;
  /** How often the group had been moved on the partition. */
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

  /** Whether it can still settle its message. */
  get isCurrent(): boolean {
    return this.group.isCurrent(this);
  }

  /** The message is done. False, as for all answers: the receipt is stale. */
  ack(): boolean {
    return this.isCurrent && this.group.ack(this.partition, this.offset);
  }

  /** The delivery failed: see `Group.nack`. */
  nack(delayMs?: number, reason?: string): boolean {
    return this.isCurrent && this.group.nack(this.partition, this.offset, delayMs, reason);
  }

  /** Never again: see `Group.reject`. */
  reject(reason: string = ''): boolean {
    return this.isCurrent && this.group.reject(this.partition, this.offset, reason);
  }

  /** Given back: it goes out again at once, and did not fail. See `Group.giveBack`. */
  release(): boolean {
    return this.isCurrent && this.group.giveBack(this.partition, this.offset);
  }

  /** The consumer has until so many milliseconds from now. */
  setDeadline(ms: number): boolean {
    return this.isCurrent && this.group.setDeadline(this.partition, this.offset, ms);
  }
}

/** Written receipts say which run of the broker they are of. */
export function writeReceipt({ group, partition, offset, delivery, move }: Receipt, run: string): string {
  const numbers = [group.id, partition, offset, delivery, move];
  return `${numbers.map((number) => number.toString(36)).join('.')}.${run}`;
}

/** A receipt as {@link writeReceipt} wrote it; undefined when it is none, or its group is gone. */
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
