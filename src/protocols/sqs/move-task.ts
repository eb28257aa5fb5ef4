import {
  type Broker,
  BrokerError,
  Collector,
  type CollectorEnd,
  type Delivery,
  type Group,
  type Header,
  Receipt,
  recordBytes,
  recordOf,
  type Topic,
} from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import { refusalOf } from './errors.ts';
import { sqsLimits } from './limits.ts';
import { readHeaders, withoutLetter } from './stored-message.ts';

export type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLING' | 'CANCELLED' | 'FAILED';

export interface MoveOptions {
  readonly broker: Broker;
  /** The dead-letter queue. */
  readonly source: Topic;
  readonly group: Group;
  /** Undefined: the queue that each message came from. */
  readonly destination: Topic | undefined;
  /** Messages a second; undefined: as many as can be. */
  readonly rate: number | undefined;
  /** Whether messages may go to a topic: who has started the task may send to it. */
  readonly mayGoTo: (topic: string) => boolean;
}

/** Messages that are moved in one commit. */
const sliceMax = 100;
/** The same with a rate, which is smoother then. */
const slowSliceMax = 10;
/** If the move of a message fails, the message is visible again after this time. */
const ackWaitMs = 30_000;

/** A message that is taken from the dead-letter queue. */
interface Taken {
  readonly receipt: Receipt;
  readonly record: ReturnType<typeof recordOf>;
  readonly destination: Topic;
}

/**
 * A move task moves the messages that a dead-letter queue has when the task starts, and that are visible
 * then, to another queue or back to where they came from. A message is in exactly one of the queues at any
 * time: its append and its removal are one commit.
 */
export class MoveTask {
  readonly startedMs: number;
  /** Messages that it is to move. */
  readonly total: number;
  readonly options: MoveOptions;
  #status: MoveStatus = 'RUNNING';
  #moved = 0;
  #failure: string | undefined = undefined;
  /** The ends of the partitions at the start. */
  readonly #ends: readonly number[];
  #isStopped = false;
  #endWait: () => void = () => {};

  constructor(options: MoveOptions, total: number) {
    this.options = options;
    this.total = total;
    this.startedMs = options.broker.clock.now();
    this.#ends = options.source.partitions.opened.map(({ nextOffset }) => nextOffset);
  }

  get status(): MoveStatus {
    return this.#status;
  }

  get moved(): number {
    return this.#moved;
  }

  /** Why it failed, as a code. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get isActive(): boolean {
    return this.#status === 'RUNNING' || this.#status === 'CANCELLING';
  }

  /** Stops after the messages that are being moved. */
  cancel(): void {
    if (this.#status !== 'RUNNING') return;
    this.#status = 'CANCELLING';
    this.#endWait();
  }

  /** Stops because the server does. */
  stop(): void {
    this.#isStopped = true;
    this.#endWait();
  }

  /** Resolves when the task has ended, however it did. */
  async run(): Promise<void> {
    const { broker, rate } = this.options;
    try {
      for (let hasMore = true; hasMore && this.#status === 'RUNNING' && !this.#isStopped;) {
        const count = rate === undefined ? sliceMax : Math.min(slowSliceMax, rate);
        hasMore = await this.#moveSlice(count);
        await broker.pacing.rest();
        if (hasMore && rate !== undefined) await this.#wait((count / rate) * 1000);
      }
      this.#status = this.#status === 'RUNNING' ? 'COMPLETED' : 'CANCELLED';
    } catch (error) {
      this.#status = 'FAILED';
      this.#failure = refusalOf(error)?.code() ?? 'InternalFailure';
    }
  }

  /** Moves up to `count` messages; resolves, when that is on disk, to whether there may be more. */
  async #moveSlice(count: number): Promise<boolean> {
    const { broker } = this.options;
    const { taken, isLast } = await this.#take(count);
    let failure: unknown;
    // One synchronous run is one commit.
    for (const { receipt, record, destination } of taken) {
      const error = failure === undefined ? append(destination, record) : failure;
      if (error === undefined && receipt.ack()) this.#moved++;
      else receipt.release();
      failure = error;
    }
    await new Promise<void>((resolve) => broker.afterCommit(resolve));
    if (failure !== undefined) throw failure;
    return !isLast;
  }

  /** Takes visible messages from the dead-letter queue. */
  async #take(count: number): Promise<{ readonly taken: readonly Taken[]; readonly isLast: boolean }> {
    const { broker, group } = this.options;
    const taken: Taken[] = [];
    const left: Receipt[] = [];
    let isLate = false;
    let failure: AwsError | undefined;
    const options = {
      messagesMax: count,
      bytesMax: sqsLimits.receivedBytesMax,
      takesAnyFirst: true,
      idle: 'answer',
      ackWaitMs,
      label: 'MessageMoveTask',
    } as const;
    const end = await new Promise<CollectorEnd>((resolve) => {
      const collected = (delivery: Delivery): number => {
        const receipt = Receipt.of(group, delivery);
        const destination = this.#destinationOf(delivery);
        isLate ||= delivery.record.offset >= (this.#ends[delivery.partition] ?? 0);
        if (isLate || destination instanceof AwsError) left.push(receipt);
        else taken.push({ receipt, destination, record: movedRecord(broker, delivery) });
        if (destination instanceof AwsError) failure ??= destination;
        return recordBytes(delivery.record);
      };
      new Collector(broker.clock, options, { collected, completed: resolve }).attach(group);
    });
    for (const receipt of left) receipt.release();
    if (failure && !isLate) {
      for (const { receipt } of taken) receipt.release();
      throw failure;
    }
    return { taken, isLast: isLate || end !== 'full' };
  }

  #destinationOf({ record }: Delivery): Topic | AwsError {
    const { broker, destination, mayGoTo } = this.options;
    if (destination) return destination.isDeleted ? new AwsError('QueueDoesNotExist') : destination;
    const { letter } = readHeaders(record.headers);
    if (!letter) return new AwsError('InvalidParameterValue', 'The message did not come from another queue.');
    // Whoever may publish to the dead-letter queue can write any name there.
    if (!mayGoTo(letter.topic))
      return new AwsError('AccessDenied', `Publishing to topic "${letter.topic}" is not permitted.`);
    return broker.topic(letter.topic) ?? new AwsError('QueueDoesNotExist');
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.broker.clock.setTimer(ms, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** The message as it was before it became a dead letter. */
function movedRecord({ clock }: Broker, { record }: Delivery): Taken['record'] {
  const { letter } = readHeaders(record.headers);
  const headers: Header[] = withoutLetter(record.headers).map(({ name, value }) => ({
    name,
    value: value && Buffer.from(value),
  }));
  const key = letter ? letter.key : record.key;
  return recordOf({ key, headers, value: record.value, timestampMs: clock.now() });
}

/** Appends the record in the open commit. Returns why it is refused. */
function append(topic: Topic, record: Taken['record']): Error | undefined {
  let refusal: Error | undefined;
  const admission = topic.admit(record, undefined);
  if (admission.kind === 'waits')
    return (
      admission.full ??
      new BrokerError('topic-full', `Topic "${topic.name}" has publishes waiting that came before.`)
    );
  const listener = {
    published: () => {},
    refused: (_: undefined, error: Error) => void (refusal = error),
  };
  topic.append(admission, record, listener, undefined);
  return refusal;
}
