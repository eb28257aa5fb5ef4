import type { Consumer, Delivery, Group } from '../../../../broker/index.ts';
import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import type { ShareFetch } from './share-fetch.ts';

/**
 * A client's acknowledgement of records that it acquired: a range of offsets, with one type for all of it or
 * one for each offset.
 */
export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

const AcknowledgeType = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

/**
 * A share consumer represents a share session in the broker's group of one topic. It takes deliveries while a
 * fetch waits for them.
 */
export class ShareConsumer implements Consumer {
  readonly topicId: Uuid;
  readonly group: Group;
  readonly label: string;
  readonly member: string;
  readonly connection: number;
  readonly partitions: Set<number> = new Set();
  hasEnded = false;
  #fetch: ShareFetch | undefined = undefined;
  /**
   * Records that the fetch may still take of this group, so that other members get their part; undefined
   * until the fetch has taken the first record.
   */
  #part: number | undefined = undefined;
  #members = 1;

  /** `label`: the member id. */
  constructor(topicId: Uuid, group: Group, label: string, connection: number) {
    this.topicId = topicId;
    this.group = group;
    this.label = label;
    this.member = label;
    this.connection = connection;
  }

  /** Starts a fetch, one of `members` members that read the topic; undefined: the last fetch is over. */
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
    const part = (this.#part ?? this.#fairPart()) - 1;
    this.#part = part;
    fetch.take(this.topicId, delivery); // with its last record the fetch ends, and the part with it
    if (part <= 0) fetch.endSoon();
  }

  /**
   * Number of records that one member may take at once of a backlog that several members wait for: an equal
   * part, less the records that the member already holds. Without this limit the first member would acquire a
   * short backlog completely, and the others would wait for its locks. Counts the record that is being
   * delivered.
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
   * Applies a client's acknowledgements for records of one partition. Applies none of them if any one is
   * invalid or concerns a record that the client does not hold.
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
      // The number of pending records is bounded; the client's range is not.
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
   * Whether retention removed the whole range, perhaps while the client held it. Nothing is left to
   * acknowledge, which the client cannot know.
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
   * Returns the held records to the group at once. They count as delivered: Kafka 4.4 keeps the delivery
   * count of a record if its client releases it, if its lock times out, and if its session ends.
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
