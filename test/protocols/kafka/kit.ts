import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecured, type ConnectionOptions } from 'node:tls';
import { Broker, type BrokerOptions } from '../../../src/broker/index.ts';
import { FaultyFiles } from '../../support/faulty-files.ts';
import { decompress } from '../../../src/protocols/index.ts';
import { KafkaFrontend, type KafkaEvent, type KafkaOptions } from '../../../src/protocols/kafka/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import {
  FrameSplitter,
  Writer,
  apis,
  encodeRecordBatch,
  readRecords,
  readResponse,
  readResponseHeader,
  splitBatches,
  writeRequest,
  type Api,
  type ApiName,
  type BatchRecord,
  type Fields,
  type NewRecord,
  type RecordBatchOptions,
  type RequestDraft,
  type ResponseOf,
} from '../../../src/wire/kafka/index.ts';
import { PoisonedBlocks } from '../../support/index.ts';

const answerMsMax = 10_000;
const decompressedBytesMax = 1 << 20;

/** A broker in memory with the Kafka frontend before it, on a port of its own. */
export class KafkaKit {
  files: FaultyFiles = new FaultyFiles();
  readonly events: KafkaEvent[] = [];
  readonly #options: Partial<KafkaOptions>;
  readonly #brokerOptions: Partial<BrokerOptions>;
  broker!: Broker;
  frontend!: KafkaFrontend;
  port = 0;

  private constructor(options: Partial<KafkaOptions>, brokerOptions: Partial<BrokerOptions>) {
    this.#options = options;
    this.#brokerOptions = brokerOptions;
  }

  static async start(
    options: Partial<KafkaOptions> = {},
    brokerOptions: Partial<BrokerOptions> = {},
  ): Promise<KafkaKit> {
    const kit = new KafkaKit(options, brokerOptions);
    await kit.#start();
    return kit;
  }

  async #start(): Promise<void> {
    this.broker = await Broker.open({
      dir: 'data',
      files: this.files,
      memoryBytes: () => 0,
      ...this.#brokerOptions,
      log: {
        journalFileBytes: 1024 * 1024,
        decompress,
        blocks: new PoisonedBlocks(),
        ...this.#brokerOptions.log,
      },
    });
    this.frontend = new KafkaFrontend({
      broker: this.broker,
      report: (event) => this.events.push(event),
      ...this.#options,
    });
    ({ port: this.port } = await this.frontend.listen({ host: '127.0.0.1', port: 0 }));
  }

  /** Stops in order and starts again on the data on disk. */
  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.#start();
  }

  /** Loses unsynced data, as when the power fails, then starts on the rest. */
  async crash(): Promise<void> {
    const { broker, frontend } = this;
    this.files = this.files.crash('power', new SeededRandom(7));
    await frontend.close();
    await broker.close();
    await this.#start();
  }

  async client(): Promise<KafkaClient> {
    return KafkaClient.connect(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.frontend.close();
    await this.broker.close();
  }
}

/** A Kafka client by hand: one connection, requests in any version, answers in order. */
export class KafkaClient implements Disposable {
  readonly socket: Socket;
  readonly #splitter = new FrameSplitter(1 << 30);
  readonly #frames: Buffer[] = [];
  #waiting: ((frame: Buffer | undefined) => void)[] = [];
  readonly #answerMsMax: number;
  #correlationId = 0;
  closed = false;

  private constructor(socket: Socket, waitMsMax: number) {
    this.socket = socket;
    this.#answerMsMax = waitMsMax;
    socket.on('data', (chunk) => {
      this.#splitter.push(chunk);
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
        const waiter = this.#waiting.shift();
        if (waiter) waiter(frame);
        else this.#frames.push(frame);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      for (const waiter of this.#waiting.splice(0)) waiter(undefined);
    });
  }

  static async connect(port: number, waitMsMax: number = answerMsMax): Promise<KafkaClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new KafkaClient(socket, waitMsMax);
  }

  /** Over TLS, with a certificate or without. */
  static async connectSecured(port: number, options: ConnectionOptions): Promise<KafkaClient> {
    const socket = connectSecured({ port, host: '127.0.0.1', ...options });
    const client = new KafkaClient(socket, answerMsMax);
    await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
    return client;
  }

  /** Sends a request; returns its correlation id. */
  send<N extends ApiName>(name: N, version: number, request: RequestDraft<N>): number {
    const correlationId = ++this.#correlationId;
    for (const part of requestBytes(name, version, request, correlationId)) this.socket.write(part);
    return correlationId;
  }

  /** The next answer, which must be to the request with that correlation id. */
  async receive<N extends ApiName>(name: N, version: number, correlationId: number): Promise<ResponseOf<N>> {
    const frame = await this.frame();
    assert.ok(frame, `the connection ended before the answer to ${name}`);
    const response = readResponseHeader(frame);
    assert.equal(response.correlationId, correlationId, `the answer to ${name} comes in its turn`);
    return readResponse(response, apis[name] as unknown as Api<Fields, Fields>, version) as ResponseOf<N>;
  }

  async call<N extends ApiName>(name: N, version: number, request: RequestDraft<N>): Promise<ResponseOf<N>> {
    return this.receive(name, version, this.send(name, version, request));
  }

  /** The next frame; undefined when the connection has ended instead. */
  async frame(): Promise<Buffer | undefined> {
    const ready = this.#frames.shift();
    if (ready || this.closed) return ready;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer in time')), this.#answerMsMax);
      this.#waiting.push((frame) => {
        clearTimeout(timer);
        resolve(frame);
      });
    });
  }

  /** Resolves when the other side has ended the connection without another word. */
  async ended(): Promise<void> {
    assert.equal(await this.frame(), undefined, 'the connection ends without an answer');
  }

  /** Logs in by SASL PLAIN; the error code. */
  async logIn(user: string, password: string): Promise<number> {
    await this.call('SaslHandshake', 1, { mechanism: 'PLAIN' });
    const authBytes = Buffer.from(`\0${user}\0${password}`);
    return (await this.call('SaslAuthenticate', 2, { authBytes })).errorCode;
  }

  async createTopic(
    name: string,
    partitions = 1,
    configs: { readonly [name: string]: string } = {},
  ): Promise<ResponseOf<'CreateTopics'>['topics'][number]> {
    const { topics } = await this.call('CreateTopics', 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      validateOnly: false,
    });
    return topics[0]!;
  }

  /** Produces one batch to one partition; the answer for it. */
  async produce(
    topic: string,
    batch: Uint8Array,
    { partition = 0, acks = -1, version = 9 }: { partition?: number; acks?: number; version?: number } = {},
  ): Promise<ResponseOf<'Produce'>['responses'][number]['partitionResponses'][number]> {
    const { responses } = await this.call('Produce', version, produceRequest(topic, batch, partition, acks));
    return responses[0]!.partitionResponses[0]!;
  }

  async fetch(
    topic: string,
    offset: number,
    options: { partition?: number; maxWaitMs?: number; minBytes?: number; maxBytes?: number } = {},
  ): Promise<ResponseOf<'Fetch'>['responses'][number]['partitions'][number]> {
    const { responses } = await this.call('Fetch', 11, fetchRequest(topic, offset, options));
    return responses[0]!.partitions[0]!;
  }

  /** All records of a partition from an offset on. */
  async records(topic: string, offset = 0, partition = 0): Promise<BatchRecord[]> {
    const records: BatchRecord[] = [];
    for (let at = offset; ;) {
      const answer = await this.fetch(topic, at, { partition, maxWaitMs: 0 });
      assert.equal(answer.errorCode, 0);
      const batches = splitBatches(answer.records ?? Buffer.alloc(0));
      if (batches.length === 0) return records;
      for (const batch of batches) {
        for (const record of readRecords(batch, decompressedBytesMax))
          if (record.offset >= at) records.push(record);
        at = batch.baseOffset + batch.lastOffsetDelta + 1;
      }
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export function requestBytes<N extends ApiName>(
  name: N,
  version: number,
  request: RequestDraft<N>,
  correlationId = 1,
): Uint8Array[] {
  const writer = new Writer();
  const api = apis[name] as unknown as Api<Fields, Fields>;
  writeRequest(writer, api, version, correlationId, 'test', request as never);
  return writer.take();
}

export function produceRequest(
  topic: string,
  batch: Uint8Array | null,
  partition = 0,
  acks = -1,
): RequestDraft<'Produce'> {
  return {
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
  };
}

export function fetchRequest(
  topic: string,
  offset: number,
  {
    partition = 0,
    maxWaitMs = 5_000,
    minBytes = 1,
    maxBytes = 1 << 20,
  }: { partition?: number; maxWaitMs?: number; minBytes?: number; maxBytes?: number } = {},
): RequestDraft<'Fetch'> {
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }] }],
  };
}

/** A batch of records with these values. */
export function batchOf(
  values: readonly string[],
  options: RecordBatchOptions & { readonly keys?: readonly string[] } = {},
): Buffer {
  const { keys, ...rest } = options;
  const records = values.map((value, at): NewRecord => ({
    key: keys?.[at] === undefined ? null : Buffer.from(keys[at]),
    value: Buffer.from(value),
    timestampMs: 1_700_000_000_000 + at,
  }));
  return encodeRecordBatch(records, rest);
}

export function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
}
