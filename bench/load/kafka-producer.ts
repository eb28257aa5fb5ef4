import { setTimeout as delay } from 'node:timers/promises';
import { apis, encodeRecordBatch, readResponse, readResponseHeader } from '../../src/wire/kafka/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { KafkaSocket, encodeRequest } from './kafka-socket.ts';

const produceVersion = 9;
const acksAll = -1;
const topicMsMax = 10_000;
/** Approximate bytes of a record besides its value. */
const recordOverheadBytes = 10;

type Job = LoadJob & { kind: 'kafka-producer' };

/** A Kafka producer writes the same produce request again and again, with a limit on unanswered ones. */
export class KafkaProducer implements Generator {
  readonly #socket: KafkaSocket;
  readonly #job: Job;
  readonly #request: Buffer;
  readonly #records: number;

  private constructor(socket: KafkaSocket, job: Job) {
    this.#socket = socket;
    this.#job = job;
    this.#records = Math.max(1, Math.floor(job.batchBytes / (job.payloadBytes + recordOverheadBytes)));
    const value = Buffer.alloc(job.payloadBytes, 'x');
    const timestampMs = Date.now();
    const records = encodeRecordBatch(Array.from({ length: this.#records }, () => ({ value, timestampMs })));
    this.#request = encodeRequest('Produce', produceVersion, {
      acks: acksAll,
      timeoutMs: 30_000,
      topicData: [{ name: job.topic, partitionData: [{ index: job.partition, records }] }],
    });
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<KafkaProducer> {
    const socket = await KafkaSocket.connect(job.port, onFailure);
    if (job.login !== undefined) await socket.logIn(job.login);
    // Kafka creates a topic after it has answered that the topic does not exist.
    for (const deadlineMs = nowMs() + topicMsMax; ; await delay(20)) {
      const asked = { topics: [{ name: job.topic }], allowAutoTopicCreation: true };
      const { topics } = await socket.call('Metadata', 5, asked);
      const topic = topics[0];
      if (topic?.errorCode === 0 && topic.partitions.every(({ leaderId }) => leaderId >= 0))
        return new KafkaProducer(socket, job);
      if (nowMs() > deadlineMs) throw new Error(`no topic: error ${topic?.errorCode}`);
    }
  }

  async run(): Promise<Count> {
    const { seconds, window, requests } = this.#job;
    const startMs = nowMs();
    const deadlineMs = startMs + seconds * 1e3;
    let sent = 0;
    let acked = 0;
    await new Promise<void>((resolve, reject) => {
      const pump = (): void => {
        const isOver = nowMs() >= deadlineMs || sent >= requests;
        const upTo = isOver ? sent : Math.min(requests, acked + window);
        for (; sent < upTo; sent++) this.#socket.write(this.#request);
        if (isOver && acked === sent) resolve();
      };
      this.#socket.onFrame((frame) => {
        // The answers are alike; the first is decoded, to be sure that the requests succeed.
        if (acked === 0) {
          const error = errorOf(frame);
          if (error !== 0) reject(new Error(`produce was refused with error ${error}`));
        }
        acked++;
        pump();
      });
      pump();
    });
    return { messages: acked * this.#records, startMs, endMs: nowMs() };
  }

  end(): void {
    this.#socket.end();
  }
}

function errorOf(frame: Buffer): number {
  const { responses } = readResponse(readResponseHeader(frame), apis.Produce, produceVersion);
  return responses[0]?.partitionResponses[0]?.errorCode ?? -1;
}
