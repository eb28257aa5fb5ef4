import type { Consumer, Delivery, Group } from '../../../../broker/index.ts';
import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import type { ShareFetch } from './share-fetch.ts';

/**
 * What a client says about records that it acquired: a range, and one type for all of it or one for each
 * offset.
 */
export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

const AcknowledgeType = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

/**
 * A share consumer is a share session as the broker's group of one topic sees it: it takes deliveries while a
 * fetch waits for them.
 */
export class ShareConsumer implements Consumer {
  readonly topicId: Uuid;
  readonly group: Group;
  readonly label: string;
  readonly connection: number;
  readonly partitions: Set<number> = new Set();
  hasEnded = false;
  #fetch: ShareFetch | undefined = undefined;
  /**
   * Records that the fetch may still take of this group, so that other members find theirs; undefined until
   * it has taken the first.
   */
  #part: number | undefined = undefined;
  #members = 1;

  /** `label`: the id of its member. */
  constructor(topicId: Uuid, group: Group, label: string, connection: number) {
    this.topicId = topicId;
    this.group = group;
    this.label = label;
    this.connection = connection;
  }

  /** A fetch begins, of one of so many members that read the topic; undefined: the last one is over. */
  begin(fetch: ShareFetch | undefined, members: number = 1): void {
    this.#fetch = fetch;
    this.#members = members;
    this.#part = undefined;
  }

  get credit(): number {
    return Math.min(this.#fetch?.credit ?? 0, this.#part ?? Infinity);
  }

  get creditBytes(): number {
    return this.#fetch?.creditBytes ?? 0;
  }

  receive(delivery: Delivery): void {
    const fetch = this.#fetch!;
    this.#part ??= this.#fairPart();
    fetch.take(this.topicId, delivery);
    if (--this.#part <= 0) fetch.endSoon();
  }

  /**
   * What one member may take at once of a backlog that several wait for: as much as each would get, less what
   * it holds already. Without that the first of them would acquire a short backlog whole, and the others wait
   * for its locks. It counts the record that is being delivered.
   */
  #fairPart(): number {
    if (this.#members <= 1) return Infinity;
    const { lag, inFlight } = this.group.info();
    const held = this.group.held(this).length - 1;
    return Math.max(1, Math.ceil((lag + inFlight) / this.#members) - held);
  }

  refused(): void {
    this.#fetch?.full();
  }

  ended(): void {
    this.hasEnded = true;
  }

  /**
   * Does what the client says about records of one partition; nothing, when any of it is not for this client
   * to say.
   */
  acknowledge(partition: number, batches: readonly AcknowledgementBatch[], mayRenew: boolean): ErrorCode {
    if (!this.group.topic.partitions.has(partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const decisions: [offset: number, type: number][] = [];
    let from = 0;
    for (const { firstOffset, lastOffset, acknowledgeTypes: types } of batches) {
      const span = lastOffset - firstOffset + 1;
      if (firstOffset < from || span < 1 || (types.length !== 1 && types.length !== span))
        return ErrorCode.INVALID_REQUEST;
      if (
        types.some(
          (type) =>
            type < AcknowledgeType.gap || type > (mayRenew ? AcknowledgeType.renew : AcknowledgeType.reject),
        )
      )
        return ErrorCode.INVALID_REQUEST;
      from = lastOffset + 1;
      let owned = 0;
      // What is pending is bounded, the client's range is not.
      for (const { offset, consumer } of this.group.unanswered(partition, firstOffset, lastOffset + 1)) {
        const type = types.length === 1 ? types[0]! : types[offset - firstOffset]!;
        if (consumer === this) {
          owned++;
          decisions.push([offset, type]);
        } else if (type !== AcknowledgeType.gap) return ErrorCode.INVALID_RECORD_STATE;
      }
      if (owned > 0 || types.every((type) => type === AcknowledgeType.gap)) continue;
      if (!this.#isRemoved(partition, firstOffset, lastOffset)) return ErrorCode.INVALID_RECORD_STATE;
    }
    for (const [offset, type] of decisions) this.#decide(partition, offset, type);
    return ErrorCode.NONE;
  }

  /**
   * Retention took all of it, perhaps while the client held it: there is nothing to say about it, and the
   * client cannot know.
   */
  #isRemoved(index: number, first: number, last: number): boolean {
    const { topic } = this.group;
    if (topic.config.retention !== 'limits' || !this.group.hasPassed(index, last)) return false;
    return topic.partitions.at(index)!.liveIn(first, last + 1) === 0;
  }

  #decide(partition: number, offset: number, type: number): void {
    const { group } = this;
    if (type === AcknowledgeType.release) group.nack(partition, offset);
    else if (type === AcknowledgeType.reject) group.reject(partition, offset, '');
    else if (type === AcknowledgeType.renew) group.extend(partition, offset);
    else group.ack(partition, offset);
  }

  /**
   * What it holds goes back, at once. It counts as delivered: Kafka 4.4 keeps the delivery count of a record,
   * whether its client releases it, its lock times out or its session ends.
   */
  release(partition?: number): void {
    for (const receipt of this.group.held(this))
      if (partition === undefined || receipt.partition === partition) receipt.nack(0);
  }

  leave(): void {
    if (this.hasEnded) return;
    this.release();
    this.group.detach(this);
  }
}
