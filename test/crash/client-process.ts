import { join } from 'node:path';
import { Child, type End, scriptPath } from './child.ts';
import type { QueueProtocol } from './client-queue.ts';
import { type Event, EventReader } from './event-log.ts';
import type { History } from './history.ts';

export type ClientProtocol = 'nats' | QueueProtocol;

export interface ClientOptions {
  readonly kind: 'publisher' | 'consumer';
  readonly protocol: ClientProtocol;
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  /** Messages a second of a publisher, the group of a consumer. */
  readonly argument: string;
  readonly streams: readonly string[];
}

/** A client in a process of its own, which outlives the broker and keeps a log of its observations. */
export class ClientProcess {
  readonly kind: 'publisher' | 'consumer';
  readonly protocol: ClientProtocol;
  readonly name: string;
  readonly logPath: string;
  readonly #child: Child;
  readonly #reader: EventReader;
  #onLoad: () => void = () => {};
  /** The last refusal of a publisher. */
  refusal = '';

  constructor({ kind, protocol, name, directory, port, argument, streams }: ClientOptions) {
    this.kind = kind;
    this.protocol = protocol;
    this.name = name;
    this.logPath = join(directory, `${name}.log`);
    this.#reader = new EventReader(this.logPath);
    const script = scriptPath(`./${protocol === 'nats' ? '' : `${protocol}-`}${kind}-process.js`);
    const args = [script, String(port), this.logPath, name, argument, ...streams];
    this.#child = new Child(process.execPath, args, { ipc: true });
    this.#child.process.on('message', (message: { kind: string; text?: string }) => {
      if (message.kind === 'load') this.#onLoad();
      else this.refusal = message.text ?? '';
    });
  }

  /**
   * Resolves at the first message that a publisher got acked on its next connection; rejects when the client
   * has ended instead.
   */
  loaded(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onLoad = resolve;
      void this.#child.ended.then((end) => reject(this.#failure(end)));
    });
  }

  /** The new events in the client's log. */
  read(): Event[] {
    return this.#reader.read();
  }

  /** Lets it finish; a publisher ends when everything is answered. */
  async rest(): Promise<void> {
    this.#child.process.send({ kind: 'rest' });
    const end = await this.#child.ended;
    if (end !== 0) throw this.#failure(end);
  }

  #failure(end: End): Error {
    return new Error(`the client ${this.name} ended with ${end}:\n${this.#child.output}`);
  }

  get hasEnded(): boolean {
    return this.#child.end !== undefined;
  }

  async kill(): Promise<void> {
    this.#reader.close();
    await this.#child.kill();
  }
}

/**
 * Adds the observations of all clients since the last call. The consumers' logs are read first and added
 * last: a message delivered by then had been noted by its publisher before.
 */
export function gather(history: History, clients: readonly ClientProcess[]): void {
  const read = clients
    .toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
    .map((client) => ({ client, events: client.read() }));
  for (const { client, events } of read.reverse()) history.add(client.name, events);
}
