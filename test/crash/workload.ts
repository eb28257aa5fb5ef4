import { eventually } from '../support/index.ts';
import type { BrokerProcess } from './broker-process.ts';
import { BrokerReader, groupName } from './broker-reader.ts';
import { type Kept, checkDrained, checkReading } from './checker.ts';
import { ClientProcess, gather } from './client-process.ts';
import type { History } from './history.ts';
import { payloadOf } from './payload.ts';

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
 * A workload is two streams, one that keeps everything and a work queue, with publishers and consumers in
 * processes of their own that outlive the broker, and the history of their observations.
 */
export class Workload {
  readonly streams: readonly WorkloadStream[];
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
  }

  /** Creates the streams and starts the clients; resolves when publishes are acked. */
  async start(broker: BrokerProcess): Promise<void> {
    {
      await using reader = await BrokerReader.open(broker.port);
      for (const { name, kept } of this.streams)
        await reader.createStream(name, kept, this.#options.dedupeWindowMs);
    }
    const { name, rate, consumers = 2 } = this.#options;
    for (let i = 1; i <= publishers; i++) this.#add(broker, 'publisher', `p${name}-${i}`, String(rate));
    this.addConsumers(broker, consumers);
    await this.loaded(broker);
  }

  addConsumers(broker: BrokerProcess, count: number = 2): void {
    for (let i = 1; i <= count; i++) this.#add(broker, 'consumer', `c${this.#options.name}-${i}`, groupName);
  }

  #add({ port }: BrokerProcess, kind: ClientProcess['kind'], name: string, argument: string): void {
    const { directory } = this.#options;
    const streams = this.streams.map((stream) => stream.name);
    this.clients.push(new ClientProcess({ directory, port, streams, kind, name, argument }));
  }

  get publishers(): readonly ClientProcess[] {
    return this.clients.filter(({ kind }) => kind === 'publisher');
  }

  /** Resolves when a publisher had something acked on its next connection. */
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
      await Promise.race([late, ...this.publishers.map((client) => client.loaded())]);
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
    for (const { name } of this.streams) checkDrained(this.history, name);
    await this.#publishAgain(broker);
  }

  async #isDrained(broker: BrokerProcess): Promise<boolean> {
    await using reader = await BrokerReader.open(broker.port);
    for (const { name } of this.streams) if ((await reader.backlog(name)) > 0) return false;
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
    for (const { name } of this.streams) {
      await reader.deleteStream(name);
      this.history.forget(name);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.splice(0).map((client) => client.kill()));
  }
}
