import { eventually } from '../support/index.ts';
import { AmqpQueue } from './amqp-queue.ts';
import type { BrokerProcess } from './broker-process.ts';
import { BrokerReader, groupName } from './broker-reader.ts';
import { type Kept, checkDrained, checkReading } from './checker.ts';
import { type ClientOptions, ClientProcess, type ClientProtocol, gather } from './client-process.ts';
import { type ClientQueue, countsOfQueues, type CountsByProtocol, queueGroup } from './client-queue.ts';
import type { History } from './history.ts';
import { payloadOf } from './payload.ts';
import { SqsQueue } from './sqs-queue.ts';

export interface WorkloadOptions {
  /** Part of the names of streams and clients. */
  readonly name: string;
  /** For the clients' logs. */
  readonly directory: string;
  readonly history: History;
  /** Messages a second of each of the publishers. */
  readonly rate: number;
  readonly consumers?: number;
  readonly dedupeWindowMs?: number;
  /** Whether AMQP clients and SQS clients have queues of their own beside the streams. */
  readonly hasQueues?: boolean;
}

export interface WorkloadStream {
  readonly name: string;
  readonly kept: Kept;
  /** Read and checked up to here. */
  checked: number;
}

const publishers = 2;
const tickMs = 100;
/** A look that fails while the broker runs is tried again: an answer may have come too late. */
const lookTries = 3;
/** Sequences before the last known one that are read again at each look. */
const rereadMax = 200;
/** Publishes that are repeated when all is drained, to see whether their ids are still known. */
const repeatMax = 50;

/**
 * A workload is two streams, one that keeps everything and a work queue, perhaps queues of AMQP and SQS
 * clients, with publishers and consumers in processes of their own that outlive the broker, and the history
 * of their observations.
 */
export class Workload {
  readonly streams: readonly WorkloadStream[];
  readonly amqpQueue: AmqpQueue | undefined;
  readonly sqsQueue: SqsQueue | undefined;
  readonly history: History;
  clients: ClientProcess[] = [];
  readonly #options: WorkloadOptions;
  /** Looks that were not cut short. */
  looks = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.history = options.history;
    this.streams = [
      { name: `LOG${options.name}`, kept: 'all', checked: 0 },
      { name: `QUEUE${options.name}`, kept: 'unacked', checked: 0 },
    ];
    const { hasQueues = false, name, history } = options;
    this.amqpQueue = hasQueues ? new AmqpQueue(`TASKS${name}`, history) : undefined;
    this.sqsQueue = hasQueues ? new SqsQueue(`JOBS${name}.fifo`, history) : undefined;
  }

  get queues(): readonly ClientQueue[] {
    return this.amqpQueue && this.sqsQueue ? [this.amqpQueue, this.sqsQueue] : [];
  }

  /** What the clients of the queues were told. */
  get queueCounts(): CountsByProtocol {
    return countsOfQueues(this.history, this.queues);
  }

  /** Creates the streams and starts the clients; resolves when publishes are acked. */
  async start(broker: BrokerProcess): Promise<void> {
    {
      await using reader = await BrokerReader.open(broker.port);
      for (const { name, kept } of this.streams)
        await reader.createStream(name, kept, this.#options.dedupeWindowMs);
      for (const queue of this.queues) await queue.create(broker, reader);
    }
    const { name, rate, consumers = 2 } = this.#options;
    for (let i = 1; i <= publishers; i++) this.#add(broker, 'publisher', `p${name}-${i}`, String(rate));
    this.addConsumers(broker, consumers);
    // One publisher each: see placeOf, and the order of a FIFO queue.
    for (const queue of this.queues)
      this.#addOfQueue(broker, queue, 'publisher', `${queue.protocol}-p${name}`, String(rate));
    await this.loaded(broker);
  }

  addConsumers(broker: BrokerProcess, count: number = 2): void {
    const { name } = this.#options;
    for (let i = 1; i <= count; i++) {
      this.#add(broker, 'consumer', `c${name}-${i}`, groupName);
      if (this.amqpQueue) this.#addOfQueue(broker, this.amqpQueue, 'consumer', `amqp-c${name}-${i}`);
    }
    // It receives several times at once, and observes the order.
    if (this.sqsQueue && count > 0) this.#addOfQueue(broker, this.sqsQueue, 'consumer', `sqs-c${name}`);
  }

  #add({ port }: BrokerProcess, kind: ClientProcess['kind'], name: string, argument: string): void {
    const { directory } = this.#options;
    const streams = this.streams.map((stream) => stream.name);
    this.#start({ directory, port, streams, kind, protocol: 'nats', name, argument });
  }

  #addOfQueue(
    { amqpPort, sqsPort }: BrokerProcess,
    queue: ClientQueue,
    kind: ClientProcess['kind'],
    name: string,
    argument = '-',
  ): void {
    const { directory } = this.#options;
    const { protocol } = queue;
    const port = protocol === 'amqp' ? amqpPort : sqsPort;
    this.#start({ directory, port, streams: [queue.name], kind, protocol, name, argument });
  }

  #start(options: ClientOptions): void {
    this.clients.push(new ClientProcess(options));
  }

  get publishers(): readonly ClientProcess[] {
    return this.clients.filter(({ kind }) => kind === 'publisher');
  }

  /** Resolves when a publisher of each protocol had something acked on its next connection. */
  async loaded(broker: BrokerProcess, timeoutMs: number = 120_000): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((_, reject) => {
      // Ticks rather than one long timer: on a machine that was suspended no time has passed for the others
      // either.
      let ticks = timeoutMs / tickMs;
      timer = setInterval(() => {
        if (--ticks <= 0) reject(new Error(`no publish was acked in ${timeoutMs} ms\n${broker.output}`));
      }, tickMs);
    });
    try {
      const loadedBy = (protocol: ClientProtocol): Promise<void>[] =>
        this.publishers.filter((each) => each.protocol === protocol).map((client) => client.loaded());
      const all = [Promise.race(loadedBy('nats')), ...loadedBy('amqp'), ...loadedBy('sqs')];
      await Promise.race([late, Promise.all(all)]);
    } finally {
      clearInterval(timer);
    }
  }

  gather(): void {
    gather(this.history, this.clients);
  }

  /** Reads new messages in the streams, and the older ones once more, and compares them with the history. */
  async look(broker: BrokerProcess): Promise<void> {
    for (let left = lookTries; ; left--) {
      try {
        await this.#lookOnce(broker);
        this.looks++;
        return;
      } catch (error) {
        // Killed in between: the next check covers this one.
        if (broker.end !== undefined) return;
        if (left <= 1) throw error;
      }
    }
  }

  async #lookOnce(broker: BrokerProcess): Promise<void> {
    await using reader = await BrokerReader.open(broker.port);
    for (const stream of this.streams) {
      this.gather();
      const known = this.history.stream(stream.name).lastSequence;
      const reading = await reader.read(stream.name, Math.max(1, stream.checked - rereadMax));
      this.gather();
      checkReading(this.history, reading, stream.kept, known);
      stream.checked = reading.to;
    }
    for (const queue of this.queues) await queue.look(reader, () => this.gather());
  }

  /** The same from the first message on. */
  async lookAtAll(broker: BrokerProcess): Promise<void> {
    for (const stream of this.streams) stream.checked = 0;
    await this.look(broker);
  }

  /** Lets the publishers finish and the consumers take all there is, then checks everything. */
  async drain(broker: BrokerProcess): Promise<void> {
    await Promise.all(this.publishers.map((client) => client.rest()));
    await eventually(() => this.#isDrained(broker), {
      timeoutMs: 240_000,
      intervalMs: 100,
      message: 'the groups to be drained',
    });
    await this.lookAtAll(broker);
    for (const { name } of [...this.streams, ...this.queues]) checkDrained(this.history, name);
    await this.#publishAgain(broker);
    await this.sqsQueue?.sendAgain(this.history, broker.sqsPort);
  }

  async #isDrained(broker: BrokerProcess): Promise<boolean> {
    await using reader = await BrokerReader.open(broker.port);
    for (const { name } of this.streams) if ((await reader.backlog(name)) > 0) return false;
    for (const { streamName } of this.queues)
      if ((await reader.backlog(streamName, queueGroup)) > 0) return false;
    return true;
  }

  /** The newest messages are published once more: the broker must say that it has them, and where. */
  async #publishAgain(broker: BrokerProcess): Promise<void> {
    await using reader = await BrokerReader.open(broker.port);
    for (const { name: stream } of this.streams) {
      const { messages } = this.history.stream(stream);
      for (const [id, { subject, storedAt }] of [...messages].slice(-repeatMax)) {
        if (storedAt === undefined) continue;
        const { seq, duplicate } = await reader.publishAgain(subject, id, payloadOf(id));
        if (!duplicate || seq !== storedAt)
          this.history.report(
            'an id is stored once',
            `${stream}/${storedAt} (${id}) was stored again at ${seq}`,
          );
      }
    }
  }

  /** Ends the clients and deletes the streams, which must not come back. */
  async remove(broker: BrokerProcess): Promise<void> {
    await this.end();
    await using reader = await BrokerReader.open(broker.port);
    const streams = this.streams.map(({ name }) => ({ name, streamName: name }));
    for (const { name, streamName } of [...streams, ...this.queues]) {
      await reader.deleteStream(streamName);
      this.history.forget(name);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.kill()));
  }
}
