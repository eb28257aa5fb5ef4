import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { NatsSocket } from './nats-socket.ts';
import { PullSubscription } from './pull-subscription.ts';

/** A stream consumer pulls from one durable consumer over several connections and acks every message. */
export class StreamConsumer implements Generator {
  readonly #job: LoadJob & { kind: 'stream-consumer' };
  readonly #sockets: readonly NatsSocket[];

  private constructor(sockets: readonly NatsSocket[], job: LoadJob & { kind: 'stream-consumer' }) {
    this.#job = job;
    this.#sockets = sockets;
  }

  static async open(
    job: LoadJob & { kind: 'stream-consumer' },
    onFailure: (error: Error) => void,
  ): Promise<StreamConsumer> {
    const ports = Array.from({ length: job.connections }, () => job.port);
    const sockets = await Promise.all(ports.map((port) => NatsSocket.connect(port, onFailure)));
    await Promise.all(sockets.map((socket, index) => socket.flush(`SUB ${inbox(index)}.* 1\r\n`)));
    return new StreamConsumer(sockets, job);
  }

  /**
   * Ends at the last message; the acks are flushed after the clock has stopped, so that they can be checked.
   */
  async run(): Promise<Count> {
    const count = await this.#consume();
    await Promise.all(this.#sockets.map((socket) => socket.flush()));
    return count;
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }

  #consume(): Promise<Count> {
    const { stream, consumer, batch, messages, seconds } = this.#job;
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    return new Promise((resolve) => {
      const startMs = nowMs();
      const deadlineMs = startMs + seconds * 1e3;
      let received = 0;
      const onMessages = (count: number): void => {
        received += count;
        const endMs = nowMs();
        const isOver = endMs >= deadlineMs || received >= messages;
        if (isOver) for (const pull of pulls) pull.stop();
        if (received >= messages || (isOver && pulls.every((pull) => pull.isIdle))) {
          resolve({ messages: received, startMs, endMs });
        }
      };
      const pulls = this.#sockets.map(
        (socket, index) =>
          new PullSubscription({ link: socket, subject, inbox: inbox(index), batch, onMessages }),
      );
      for (const pull of pulls) pull.start();
    });
  }
}

function inbox(index: number): string {
  return `_INBOX.consumer0000000000000${index}`;
}
