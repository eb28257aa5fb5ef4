import {
  BrokerError,
  type BatchTransaction,
  type PublishListener,
  type Topic,
} from '../../../broker/index.ts';
import {
  ErrorCode,
  checkProducedHeader,
  splitBatches,
  type ProduceRequest,
  type ResponseDraft,
} from '../../../wire/kafka/index.ts';
import { KafkaError, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { logStartOffset } from '../partition-view.ts';
import { Operation } from '../security/index.ts';
import { mayUse, mayUseId } from '../topic-access.ts';
import { transactionErrorCode } from '../transactions/index.ts';

type Response = ResponseDraft<'Produce'>;
type TopicDraft = Response['responses'][number];
type PartitionDraft = TopicDraft['partitionResponses'][number];

/**
 * Appends batches unchanged.
 *
 * Stored batches are synced before they are answered, whatever the value of acks. With acks 0 there is no
 * answer, and a refusal can only be shown by ending the connection.
 */
export const produce: Handler<'Produce'> = (request, context) => {
  const publishing = new Publishing(context);
  publishing.start(request);
  if (request.acks !== 0) return publishing.done;
  const { session } = context;
  void publishing.done.then(() => {
    if (publishing.hasRefusals) session.fail('a produce request with acks 0 that was refused');
  });
  return undefined;
};

/** The longest time that a client is told to wait because of a topic's rate. */
const throttleMsMax = 30_000;

/** "12 adds partitions to the transaction by itself" (KIP-890). */
const addsPartitionSince = 12;

/** Where the answer for one partition of the request is stored. */
interface Place {
  readonly topic: Topic;
  readonly index: number;
  readonly answers: PartitionDraft[];
  readonly at: number;
  /** The time at which the broker appended the batch, in topics that use that time; otherwise -1. */
  appendTimeMs: number;
}

/**
 * A produce request in progress. Each of its partitions is answered by itself; the last one completes the
 * answer.
 */
class Publishing implements PublishListener<Place> {
  hasRefusals = false;
  readonly done: Promise<Response>;
  readonly #context: RequestContext;
  readonly #responses: TopicDraft[] = [];
  /** Number of partitions without an answer, plus one while the request is being read. */
  #open = 1;
  /** How long the client is to wait, because a batch exceeded the rate of its topic. */
  #throttleTimeMs = 0;
  #resolve!: (response: Response) => void;

  constructor(context: RequestContext) {
    this.#context = context;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  start({ topicData, acks, transactionalId }: ProduceRequest): void {
    const { host, version } = this.#context;
    const transaction =
      transactionalId === null
        ? undefined
        : { transactionalId, addsPartition: version >= addsPartitionSince };
    const hasWrongAcks = acks < -1 || acks > 1;
    for (const { name, topicId, partitionData } of topicData) {
      const answers: PartitionDraft[] = [];
      this.#responses.push({ name, topicId, partitionResponses: answers });
      const topic = version >= 13 ? host.topicIds.topic(topicId) : host.topicNames.topic(name);
      const isAllowed =
        version >= 13
          ? mayUseId(this.#context, Operation.write, topicId)
          : mayUse(this.#context, Operation.write, name);
      for (const { index, records } of partitionData) {
        if (!isAllowed) this.#refuse(answers, index, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
        else if (hasWrongAcks) this.#refuse(answers, index, ErrorCode.INVALID_REQUIRED_ACKS);
        else if (version >= 13 ? host.offsetsTopic.isId(topicId) : host.offsetsTopic.is(name))
          this.#refuse(answers, index, ErrorCode.INVALID_TOPIC_EXCEPTION);
        else if (!topic && version >= 13) this.#refuse(answers, index, ErrorCode.UNKNOWN_TOPIC_ID);
        else if (!topic?.partitions.has(index))
          this.#refuse(answers, index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        else this.#publish(topic, index, records, transaction, answers);
      }
    }
    this.#closeOne();
  }

  #refuse(answers: PartitionDraft[], index: number, errorCode: ErrorCode, errorMessage?: string): void {
    this.hasRefusals = true;
    answers.push({ index, errorCode, baseOffset: -1, errorMessage: errorMessage ?? null });
  }

  #publish(
    topic: Topic,
    index: number,
    records: Uint8Array | null,
    transaction: BatchTransaction | undefined,
    answers: PartitionDraft[],
  ): void {
    const place: Place = { topic, index, answers, at: answers.length, appendTimeMs: -1 };
    answers.push({ index, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, baseOffset: -1 }); // until it is known
    this.#open++;
    try {
      topic.publishBatch(index, oneBatch(records), this, place, transaction);
      if (topic.config.timestamps === 'append') place.appendTimeMs = topic.partitions.at(index)!.stampedMs;
    } catch (error) {
      this.refused(place, error as Error);
    }
  }

  published(
    { topic, index, answers, at, appendTimeMs }: Place,
    _: number,
    baseOffset: number,
    isDuplicate: boolean,
  ): void {
    const partition = topic.partitions.at(index)!;
    answers[at] = {
      index,
      errorCode: ErrorCode.NONE,
      baseOffset,
      ...(appendTimeMs < 0 || isDuplicate ? {} : { logAppendTimeMs: appendTimeMs }),
      logStartOffset: logStartOffset(partition),
    };
    this.#closeOne();
  }

  refused({ index, answers, at }: Place, error: Error): void {
    this.hasRefusals = true;
    if (error instanceof BrokerError) this.#throttle(error.details.retryAfterMs ?? 0);
    answers[at] = {
      index,
      errorCode: this.#codeOf(error),
      baseOffset: -1,
      errorMessage: errorMessageOf(error),
    };
    this.#closeOne();
  }

  /**
   * Maps errors to codes that producers retry, if an end of the transaction is in progress or the broker is
   * full.
   */
  #codeOf(error: Error): ErrorCode {
    const { version } = this.#context;
    const code = transactionErrorCode(error, version, { abortableSince: 11 });
    const isForLater =
      code === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
      (code === ErrorCode.CONCURRENT_TRANSACTIONS && version < addsPartitionSince);
    return isForLater ? ErrorCode.NOT_ENOUGH_REPLICAS : code;
  }

  #throttle(ms: number): void {
    this.#throttleTimeMs = Math.max(this.#throttleTimeMs, Math.min(ms, throttleMsMax));
  }

  #closeOne(): void {
    if (--this.#open > 0) return;
    this.#resolve({ responses: this.#responses, throttleTimeMs: this.#throttleTimeMs });
  }
}

/**
 * The one batch that a produce request may contain for a partition. Its CRC is checked when it is appended.
 */
function oneBatch(records: Uint8Array | null): Uint8Array {
  const batches = records === null ? [] : splitBatches(records);
  const [batch] = batches;
  if (!batch || batches.length > 1)
    throw new KafkaError(ErrorCode.INVALID_RECORD, `${batches.length} record batches; it must be one.`);
  checkProducedHeader(batch);
  return batch.bytes;
}
