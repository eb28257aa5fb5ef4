import { nowMs } from './clock.ts';
import { encodePublish, encodeRing, type Ring } from './encode.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { NatsSocket } from './nats-socket.ts';

const chunkBytes = 64 * 1024;

/** A publisher writes one chunk of PUB frames again and again, as fast as the socket takes it. */
export class Publisher implements Generator {
  readonly #socket: NatsSocket;
  readonly #chunk: Ring;
  readonly #seconds: number;

  private constructor(socket: NatsSocket, job: LoadJob & { kind: 'publisher' }) {
    const frame = encodePublish(job.subject, '', job.payloadBytes);
    this.#socket = socket;
    this.#chunk = encodeRing(Math.max(1, Math.floor(chunkBytes / frame.length)), () => frame);
    this.#seconds = job.seconds;
  }

  static async open(
    job: LoadJob & { kind: 'publisher' },
    onFailure: (error: Error) => void,
  ): Promise<Publisher> {
    return new Publisher(await NatsSocket.connect(job.port, onFailure), job);
  }

  async run(): Promise<Count> {
    const startMs = nowMs();
    const chunks = await this.#write(startMs + this.#seconds * 1e3);
    await this.#socket.flush();
    return { messages: chunks * this.#chunk.frames, startMs, endMs: nowMs() };
  }

  end(): void {
    this.#socket.end();
  }

  #write(deadlineMs: number): Promise<number> {
    return new Promise((resolve) => {
      let chunks = 0;
      let over = false;
      const pump = (): void => {
        while (!over) {
          chunks++;
          const more = this.#socket.write(this.#chunk.bytes);
          if (nowMs() < deadlineMs) {
            if (!more) return;
          } else {
            over = true;
            resolve(chunks);
          }
        }
      };
      this.#socket.onDrain(pump);
      pump();
    });
  }
}
