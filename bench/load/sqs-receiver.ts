import { nowMs } from './clock.ts';
import { HttpSocket } from './http-socket.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { encodeDelete, encodeReceive, readHandles, requireAllDone } from './sqs-request.ts';

type Job = LoadJob & { kind: 'sqs-receiver' };

/** How long a connection waits after it got nothing, because others hold what there is. */
const pauseMs = 5;
const parts = 4;

/**
 * An SQS receiver drains a queue: each of its `window` connections receives ten messages and deletes them
 * in one request, or keeps them in flight.
 */
export class SqsReceiver implements Generator {
  readonly #sockets: readonly HttpSocket[];
  readonly #job: Job;
  readonly #request: Buffer;
  readonly #onFailure: (error: Error) => void;
  #received = 0;
  #done = 0;
  #onDone: () => void = () => {};

  private constructor(sockets: readonly HttpSocket[], job: Job, onFailure: (error: Error) => void) {
    this.#sockets = sockets;
    this.#job = job;
    this.#onFailure = onFailure;
    const { visibilitySeconds: VisibilityTimeout } = job;
    this.#request = encodeReceive(job, VisibilityTimeout === undefined ? {} : { VisibilityTimeout });
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<SqsReceiver> {
    const sockets = await HttpSocket.connectAll(job.window, { port: job.port, onFailure });
    return new SqsReceiver(sockets, job, onFailure);
  }

  run(): Promise<Count> {
    const { messages, seconds } = this.#job;
    return new Promise((resolve) => {
      const startMs = nowMs();
      const timer = setTimeout(
        () => this.#onFailure(new Error(`${this.#done} of ${messages} messages came in ${seconds} s`)),
        seconds * 1e3,
      );
      const partEndsMs: number[] = [startMs];
      this.#onDone = () => {
        while (partEndsMs.length <= parts && this.#done >= (messages * partEndsMs.length) / parts)
          partEndsMs.push(nowMs());
        if (this.#done < messages || partEndsMs.length <= parts) return;
        clearTimeout(timer);
        this.#onDone = () => {};
        const perPart = messages / parts;
        const partRates = partEndsMs.slice(1).map((endMs, i) => (perPart * 1e3) / (endMs - partEndsMs[i]!));
        resolve({ messages: this.#done, startMs, endMs: partEndsMs.at(-1)!, partRates });
      };
      for (const socket of this.#sockets) this.#receive(socket);
    });
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }

  #receive(socket: HttpSocket): void {
    if (this.#received >= this.#job.messages) return;
    socket.ask(this.#request, (buffer, start, end) => {
      const handles = readHandles(buffer.toString('latin1', start, end));
      this.#received += handles.length;
      if (handles.length === 0) setTimeout(() => this.#receive(socket), pauseMs);
      else if (this.#job.deletes) this.#delete(socket, handles);
      else this.#finish(socket, handles.length);
    });
  }

  #delete(socket: HttpSocket, handles: readonly string[]): void {
    socket.ask(encodeDelete(this.#job, handles), (buffer, start, end) => {
      requireAllDone(buffer.toString('latin1', start, end));
      this.#finish(socket, handles.length);
    });
  }

  #finish(socket: HttpSocket, messages: number): void {
    this.#done += messages;
    this.#onDone();
    this.#receive(socket);
  }
}
