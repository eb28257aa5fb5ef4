import type { Record } from '../../log/index.ts';
import { knowsExpected, refusalOfRoom, type Admission, type AdmittingTopic } from './admission.ts';
import type { Clock, Timer } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import { BrokerError, topicError } from '../errors.ts';
import { KeyReader, textFromKey } from '../partitions/filter.ts';
import { copyRecord } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { PublishRate } from './publish-rate.ts';
import type { PublishListener, PublishOptions } from './publishes.ts';
import type { WaitingPublish, WaitingRoom } from './waiting-room.ts';

/** The part of a topic that waiting publishes use. */
interface AwaitedTopic extends AdmittingTopic {
  readonly leaving: { refusal(partition: Partition): BrokerError | undefined };
  readonly publishRate: PublishRate;
}

/** Decides about publishes, and carries out the decisions. */
interface Intake {
  admit(record: Record, options: PublishOptions | undefined, turn?: Partition): Admission;
  append<T>(
    admission: Exclude<Admission, { kind: 'waits' }>,
    record: Record,
    listener: PublishListener<T>,
    token: T,
  ): void;
}

/** The services that the broker offers to waiting publishes. */
interface WaitingPublishesHost {
  readonly clock: Clock;
  readonly budgets: Budgets;
  /** Why no publish is accepted now; undefined if publishes are accepted. */
  readonly refusal: BrokerError | undefined;
  afterCommit(callback: () => void): void;
}

const waitingPublishesMax = 10_000;

/**
 * Waiting publishes are those that a topic has not decided about. They wait for room (`overflow: 'wait'`),
 * for the publish rate (`overRate: 'wait'`), for a read of the last message of a key that they expect, or
 * behind other waiting publishes.
 */
export class WaitingPublishes {
  readonly #topic: AwaitedTopic;
  readonly #intake: Intake;
  readonly #host: WaitingPublishesHost;
  readonly #room: WaitingRoom;
  readonly #keyReader = new KeyReader();
  /** Until the publish rate lets in the next publish that waits for it. */
  #rateTimer: Timer | undefined = undefined;

  constructor(topic: AwaitedTopic, intake: Intake, host: WaitingPublishesHost, room: WaitingRoom) {
    this.#topic = topic;
    this.#intake = intake;
    this.#host = host;
    this.#room = room;
  }

  /** Room was made other than by acks, or a read that a publish waited for has ended. */
  noteRoom(): void {
    if (this.#room.size > 0) this.#admit();
  }

  /**
   * Publishes a record now, or when it is its turn. `turn`: the publish has waited, and it is now its turn on
   * this partition.
   */
  publish<T>(
    record: Record,
    options: PublishOptions | undefined,
    listener: PublishListener<T>,
    token: T,
    turn?: Partition,
  ): void {
    const admission = this.#paced(this.#intake.admit(record, options, turn), turn);
    if (admission.kind !== 'waits') return this.#intake.append(admission, record, listener, token);
    const { partition, isKnown, full } = admission;
    const tooMany = this.#host.budgets.refusal('waitingPublishes');
    if (tooMany) return listener.refused(token, tooMany);
    if (this.#room.size >= waitingPublishesMax)
      return listener.refused(
        token,
        full ?? topicError(this.#topic, 'topic-full', 'has too many publishes waiting'),
      );
    const copy = copyRecord(record);
    this.#room.push(partition, {
      record: copy,
      options,
      listener,
      token,
      look: 'none',
      failure: undefined,
    });
    if (full?.code === 'rate-exceeded') this.#topic.publishRate.waited++;
    if (!isKnown || this.#topic.publishRate.makesWait) this.#admit();
  }

  /**
   * The decision about a publish with the publish rate taken into account. Where publishes wait for the rate,
   * they wait in one line for all partitions, because the rate is the topic's.
   */
  #paced(admission: Admission, turn: Partition | undefined): Admission {
    const rate = this.#topic.publishRate;
    if (admission.kind === 'waits' && rate.makesWait)
      return admission.full === undefined ? { ...admission, full: rate.refusalOf() } : admission;
    if (admission.kind !== 'accepted') return admission;
    const tooFast = rate.refusalOf();
    if (rate.makesWait && turn === undefined) {
      if (tooFast === undefined && this.#room.size === 0) return admission;
      return { kind: 'waits', partition: admission.partition, isKnown: true, full: tooFast };
    }
    if (tooFast === undefined) return admission;
    rate.refused++;
    return { kind: 'refused', error: tooFast };
  }

  /** Stops the timer. */
  stop(): void {
    this.#rateTimer?.cancel();
  }

  /** Tries waiting publishes again. */
  #admit(): void {
    this.#rateTimer?.cancel(); // a new one is set if a publish still waits for the rate
    this.#room.admit(
      (partition, publish) => publish.failure !== undefined || this.#mayEnter(partition, publish),
      (partition, { record, options, listener, token, failure }) => {
        const refusal = failure ?? this.#host.refusal;
        if (refusal) listener.refused(token, refusal);
        else this.publish(record, options, listener, token, partition);
      },
    );
  }

  /**
   * Whether there is room for a publish, and the last message that it expects is known. If that is unknown,
   * starts the read.
   */
  #mayEnter(partition: Partition, publish: WaitingPublish): boolean {
    const { record, options } = publish;
    const key = this.#keyReader.read(record);
    if (options && publish.look !== 'done' && !knowsExpected(partition, options, key)) {
      if (publish.look === 'none')
        void this.#look(partition, options.expectedLastKey ?? textFromKey(key), publish);
      return false;
    }
    if (this.#topic.config.overflow !== 'reject') {
      const full =
        refusalOfRoom(this.#topic, record, partition, key) ?? this.#topic.leaving.refusal(partition);
      if (full !== undefined && full.code !== 'key-full') return false;
    }
    return this.#rateAllows();
  }

  /** Whether the publish rate allows one more now. If not, the publish is tried again when it does. */
  #rateAllows(): boolean {
    const { publishRate } = this.#topic;
    const waitMs = publishRate.makesWait ? publishRate.waitMs() : 0;
    if (waitMs === 0) return true;
    this.#rateTimer?.cancel();
    this.#rateTimer = this.#host.clock.setTimer(waitMs, () => this.noteRoom());
    return false;
  }

  /** Finds the last message of a key whose previous last message was removed. */
  async #look(partition: Partition, pattern: string, publish: WaitingPublish): Promise<void> {
    publish.look = 'under way';
    try {
      // Only durable messages can be read.
      await new Promise<void>((resolve) => this.#host.afterCommit(resolve));
      await partition.last(pattern);
    } catch (error) {
      const problem = `Topic "${this.#topic.name}" cannot read which message of the key is the last. Try again.`;
      publish.failure = new BrokerError('storage-failed', problem, { topic: this.#topic.name }, error);
    }
    publish.look = 'done';
    this.noteRoom();
  }
}
