import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { KafkaSocket, encodeRequest } from './kafka-socket.ts';
import { apis, readResponse, readResponseHeader } from '../../src/wire/kafka/index.ts';

const fetchVersion = 11;
const offsetAt = 0;
const lengthAt = 8;
const lastOffsetDeltaAt = 23;
const countAt = 57;
const lengthOverhead = 12;

type Job = LoadJob & { kind: 'kafka-reader' };

/**
 * A Kafka reader fetches a partition from start to end, one request at a time. It decodes only the headers of
 * batches.
 */
export class KafkaReader implements Generator {
  readonly #socket: KafkaSocket;
  readonly #job: Job;

  private constructor(socket: KafkaSocket, job: Job) {
    this.#socket = socket;
    this.#job = job;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<KafkaReader> {
    const socket = await KafkaSocket.connect(job.port, onFailure);
    if (job.login !== undefined) await socket.logIn(job.login);
    return new KafkaReader(socket, job);
  }

  async run(): Promise<Count> {
    const startMs = nowMs();
    let messages = 0;
    for (let offset = 0; ;) {
      const records = await this.#fetch(offset);
      if (records.length === 0) return { messages, startMs, endMs: nowMs() };
      for (let at = 0; at < records.length; at += records.readInt32BE(at + lengthAt) + lengthOverhead) {
        messages += records.readInt32BE(at + countAt);
        offset =
          Number(records.readBigInt64BE(at + offsetAt)) + records.readInt32BE(at + lastOffsetDeltaAt) + 1;
      }
    }
  }

  async #fetch(fetchOffset: number): Promise<Buffer> {
    const { topic, fetchBytes } = this.#job;
    const answered = new Promise<Buffer>((resolve) => this.#socket.onFrame(resolve));
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: fetchBytes }];
    const request = {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: fetchBytes,
      isolationLevel: 0,
      topics: [{ topic, partitions }],
    };
    this.#socket.write(encodeRequest('Fetch', fetchVersion, request));
    const { responses } = readResponse(readResponseHeader(await answered), apis.Fetch, fetchVersion);
    const [answer] = responses[0]?.partitions ?? [];
    if (answer?.errorCode !== 0) throw new Error(`fetch was refused with error ${answer?.errorCode}`);
    return answer.records ?? Buffer.alloc(0);
  }

  end(): void {
    this.#socket.end();
  }
}
