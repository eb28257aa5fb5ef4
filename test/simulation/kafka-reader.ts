import {
  ErrorCode,
  errorName,
  readRecords,
  splitBatches,
  type ResponseOf,
} from '../../src/wire/kafka/index.ts';
import type { Topic } from '../../src/broker/index.ts';
import { KafkaClient } from './kafka-client.ts';
import type { KafkaRun } from './kafka-run.ts';
import { keyOf } from './keys.ts';
import { sight, type Sighting } from './message.ts';

const fetchVersion = 17;
const listOffsetsVersion = 8;
const latest = -1;
const earliest = -2;
const recordBytesMax = 1 << 20;

export interface FetchPlan {
  readonly topic: string;
  readonly partition: number;
  /** Only records of no transaction, or of a committed one. */
  readonly committedOnly: boolean;
  /** From the beginning, or from where the last fetch got to. */
  readonly isAnew: boolean;
  readonly waitMs: number;
  readonly bytesMax: number;
}

/** A Kafka reader fetches partitions, and goes on where it was, across starts of the broker. */
export class KafkaReader {
  #run!: KafkaRun;
  #client: KafkaClient | undefined;
  /** By topic, partition and isolation level: the next offset to fetch. */
  readonly #positions = new Map<string, number>();

  connect(run: KafkaRun): void {
    this.#run = run;
    this.#client = undefined;
  }

  reconnect(): void {
    this.#client?.hangUp();
  }

  /** Where the last fetch of that partition got to; undefined when there was none. */
  position(topic: Topic, partition: number, committedOnly: boolean): number | undefined {
    return this.#positions.get(`${keyOf(topic)}/${partition}/${committedOnly}`);
  }

  fetch({ topic: name, partition: at, committedOnly, isAnew, waitMs, bytesMax }: FetchPlan): void {
    const run = this.#run;
    const topic = run.broker.topic(name);
    if (!topic) return;
    const partition = at % topic.partitions.length;
    const key = keyOf(topic);
    const where = `${key}/${partition}/${committedOnly}`;
    const from = isAnew ? 0 : (this.#positions.get(where) ?? 0);
    const since = run.events;
    const request = {
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes: bytesMax,
      isolationLevel: committedOnly ? 1 : 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topicId: run.topicId(topic),
          partitions: [{ partition, fetchOffset: from, partitionMaxBytes: bytesMax }],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    };
    this.#connection().call('Fetch', fetchVersion, request, ({ responses }) => {
      const answer = responses[0]?.partitions[0];
      if (!answer) return run.problem('a fetch was answered without its partition');
      const { errorCode } = answer;
      if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE)
        return this.#startOver(name, partition, where, committedOnly);
      if (errorCode === ErrorCode.UNKNOWN_TOPIC_ID || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        return;
      if (errorCode === ErrorCode.KAFKA_STORAGE_ERROR) return; // the disk refused, as the script asked for
      if (errorCode !== ErrorCode.NONE) return run.problem(`a fetch was refused: ${errorName(errorCode)}`);
      const { seen, end } = this.#read(answer, partition, from);
      this.#positions.set(where, end);
      const { highWatermark, lastStableOffset } = answer;
      run.note({
        kind: 'fetched',
        topic: key,
        partition,
        committedOnly,
        since,
        from,
        end,
        highWatermark,
        lastStableOffset,
        seen,
      });
    });
  }

  #read(
    { records }: ResponseOf<'Fetch'>['responses'][number]['partitions'][number],
    partition: number,
    from: number,
  ): { readonly seen: readonly Sighting[]; readonly end: number } {
    const seen: Sighting[] = [];
    let end = from;
    for (const batch of splitBatches(records ?? Buffer.alloc(0))) {
      end = batch.baseOffset + batch.lastOffsetDelta + 1;
      if (!batch.isIntact)
        this.#run.problem(`a batch at ${batch.baseOffset} was fetched with a wrong checksum`);
      if (batch.isControl) continue;
      for (const record of readRecords(batch, recordBytesMax))
        if (record.offset >= from) seen.push(sight(record, partition, this.#run.plans));
    }
    return { seen, end };
  }

  #connection(): KafkaClient {
    if (!this.#client || this.#client.isClosed) this.#client = new KafkaClient(this.#run, () => {});
    return this.#client;
  }

  /** As `auto.offset.reset` does. */
  #startOver(name: string, partition: number, where: string, committedOnly: boolean): void {
    const timestamp = this.#run.random.int(4) === 0 ? latest : earliest;
    const request = {
      replicaId: -1,
      isolationLevel: committedOnly ? 1 : 0,
      topics: [{ name, partitions: [{ partitionIndex: partition, timestamp }] }],
    };
    this.#connection().call('ListOffsets', listOffsetsVersion, request, ({ topics }) => {
      const answer = topics[0]!.partitions[0]!;
      if (answer.errorCode === ErrorCode.NONE) this.#positions.set(where, answer.offset);
    });
  }
}
