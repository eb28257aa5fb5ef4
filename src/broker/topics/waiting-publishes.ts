import type { Record } from '../../log/index.ts';
import { knowsExpected, refusalOfRoom, type Admission, type AdmittingTopic } from './admission.ts';
import type { Budgets } from '../budgets.ts';
import { BrokerError, topicError } from '../errors.ts';
import { KeyReader, textFromKey } from '../partitions/filter.ts';
import { copyRecord } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { PublishListener, PublishOptions } from './publishes.ts';
import type { WaitingPublish, WaitingRoom } from './waiting-room.ts';

/** A topic as publishes wait for it. */
interface AwaitedTopic extends AdmittingTopic {
  readonly leaving: { refusal(partition: Partition): BrokerError | undefined };
  admit(record: Record, options: PublishOptions | undefined, turn?: Partition): Admission;
  append<T>(
    admission: Exclude<Admission, { kind: 'waits' }>,
    record: Record,
    listener: PublishListener<T>,
    token: T,
  ): void;
}

/** What waiting publishes need from the broker around them. */
interface WaitingPublishesHost {
  readonly budgets: Budgets;
  /** Why no publish is accepted now, if so. */
  readonly refusal: BrokerError | undefined;
  afterCommit(callback: () => void): void;
}

const waitingPublishesMax = 10_000;

/**
 * Waiting publishes are those that a topic has not decided about: they wait for room (`overflow: 'wait'`),
 * for a look at what they expect to be the last message of a key, or behind others that wait.
 */
export class WaitingPublishes {
  readonly #topic: AwaitedTopic;
  readonly #host: WaitingPublishesHost;
  readonly #room: WaitingRoom;
  readonly #keyReader = new KeyReader();

  constructor(topic: AwaitedTopic, host: WaitingPublishesHost, room: WaitingRoom) {
    this.#topic = topic;
    this.#host = host;
    this.#room = room;
  }

  /** Room was made by something else than acks, or what a publish waited for is known. */
  noteRoom(): void {
    if (this.#room.size > 0) this.#admit();
  }

  /**
   * Publishes a record now, or when it is its turn. `turn`: it has waited, and this is the partition whose turn
   * it is.
   */
  publish<T>(
    record: Record,
    options: PublishOptions | undefined,
    listener: PublishListener<T>,
    token: T,
    turn?: Partition,
  ): void {
    const admission = this.#topic.admit(record, options, turn);
    if (admission.kind !== 'waits') return this.#topic.append(admission, record, listener, token);
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
    if (!isKnown) this.#admit();
  }

  /** Publishes that waited get another try. */
  #admit(): void {
    this.#room.admit(
      (partition, publish) => publish.failure !== undefined || this.#mayEnter(partition, publish),
      (partition, { record, options, listener, token, failure }) => {
        const refusal = failure ?? this.#host.refusal;
        if (refusal) listener.refused(token, refusal);
        else this.publish(record, options, listener, token, partition);
      },
    );
  }

  /** Whether there is room for a publish, and known what it has to be told; if it is not, looks. */
  #mayEnter(partition: Partition, publish: WaitingPublish): boolean {
    const { record, options } = publish;
    const key = this.#keyReader.read(record);
    if (options && publish.look !== 'done' && !knowsExpected(partition, options, key)) {
      if (publish.look === 'none')
        void this.#look(partition, options.expectedLastKey ?? textFromKey(key), publish);
      return false;
    }
    if (this.#topic.config.overflow === 'reject') return true;
    const full = refusalOfRoom(this.#topic, record, partition, key) ?? this.#topic.leaving.refusal(partition);
    return (full?.code ?? 'key-full') === 'key-full';
  }

  /** Finds out which message of a key is the last, now that another that was is gone. */
  async #look(partition: Partition, pattern: string, publish: WaitingPublish): Promise<void> {
    publish.look = 'under way';
    try {
      // Only what is durable can be read.
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
