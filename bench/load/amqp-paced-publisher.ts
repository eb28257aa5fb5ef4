import { methods } from '../../src/wire/amqp/index.ts';
import { AmqpConfirms } from './amqp-confirms.ts';
import { encodeMessage } from './amqp-message.ts';
import { AmqpSocket } from './amqp-socket.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { Latencies } from './latencies.ts';

type Job = LoadJob & { kind: 'amqp-paced-publisher' };

const burstMax = 1000;

/**
 * A paced publisher sends at a rate, whatever the server does, and measures the time from when a message was
 * due until its confirm: a message that is sent late because the server is late counts as late, too.
 */
export class AmqpPacedPublisher implements Generator {
  readonly #socket: AmqpSocket;
  readonly #job: Job;
  readonly #messages: Buffer;
  readonly #messageBytes: number;

  private constructor(socket: AmqpSocket, job: Job) {
    this.#socket = socket;
    this.#job = job;
    const message = encodeMessage('', job.queue, job.payloadBytes);
    this.#messageBytes = message.length;
    this.#messages = Buffer.concat(Array.from({ length: burstMax }, () => message));
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<AmqpPacedPublisher> {
    const socket = await AmqpSocket.connect(job.port, onFailure);
    await socket.call(methods.confirm.select, { noWait: false }, methods.confirm.selectOk);
    return new AmqpPacedPublisher(socket, job);
  }

  run(): Promise<Count> {
    const { rate, seconds } = this.#job;
    const messages = Math.floor(rate * seconds);
    const msPerMessage = 1e3 / rate;
    const latencies = new Latencies();
    return new Promise((resolve) => {
      const startMs = nowMs();
      let sent = 0;
      let confirmed = 0;
      void new AmqpConfirms(
        this.#socket,
        (count) => {
          confirmed += count;
          if (confirmed >= messages)
            resolve({ messages: confirmed, startMs, endMs: nowMs(), latency: latencies.summary() });
        },
        (tag) => latencies.add((nowMs() - startMs - (tag - 1) * msPerMessage) * 1e3),
      );
      const tick = (): void => {
        const due = Math.min(messages, Math.floor((nowMs() - startMs) / msPerMessage) + 1);
        while (sent < due) {
          const run = Math.min(due - sent, burstMax);
          this.#socket.write(this.#messages.subarray(0, run * this.#messageBytes));
          sent += run;
        }
        if (sent < messages) setTimeout(tick, 1);
      };
      tick();
    });
  }

  end(): void {
    this.#socket.end();
  }
}
