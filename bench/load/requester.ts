import { nowMs } from './clock.ts';
import { encodePublish, encodeRing, token, type Ring } from './encode.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { Latencies } from './latencies.ts';
import { MessageCounter } from './message-counter.ts';
import { NatsSocket } from './nats-socket.ts';

const inbox = '_INBOX.requester00000000000000';
const tokens = 4096;

/**
 * A requester sends a request, waits for its answer, and sends the next. Each request has a reply subject of
 * its own below one inbox, as in real clients.
 */
export class Requester implements Generator {
  readonly #socket: NatsSocket;
  readonly #ring: Ring;
  readonly #seconds: number;
  readonly #latencies: Latencies = new Latencies();
  #onAnswers: (answers: number) => void = () => {};

  private constructor(socket: NatsSocket, job: LoadJob & { kind: 'requester' }) {
    this.#socket = socket;
    this.#seconds = job.seconds;
    this.#ring = encodeRing(tokens, (index) =>
      encodePublish(job.subject, `${inbox}.${token(index)}`, job.payloadBytes),
    );
    void new MessageCounter(socket, (answers) => this.#onAnswers(answers));
  }

  static async open(
    job: LoadJob & { kind: 'requester' },
    onFailure: (error: Error) => void,
  ): Promise<Requester> {
    const socket = await NatsSocket.connect(job.port, onFailure);
    await socket.flush(`SUB ${inbox}.* 1\r\n`);
    return new Requester(socket, job);
  }

  run(): Promise<Count> {
    return new Promise((resolve) => {
      const startMs = nowMs();
      const deadlineMs = startMs + this.#seconds * 1e3;
      let messages = 0;
      let sentMs = startMs;
      this.#onAnswers = () => {
        const endMs = nowMs();
        this.#latencies.add((endMs - sentMs) * 1e3);
        messages++;
        if (endMs >= deadlineMs) {
          resolve({ messages, startMs, endMs, latency: this.#latencies.summary() });
        } else {
          sentMs = endMs;
          this.#send(messages);
        }
      };
      this.#send(0);
    });
  }

  end(): void {
    this.#socket.end();
  }

  #send(index: number): void {
    const { bytes, frameBytes, frames } = this.#ring;
    const position = (index % frames) * frameBytes;
    this.#socket.write(bytes.subarray(position, position + frameBytes));
  }
}
