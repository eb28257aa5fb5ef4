import { join } from 'node:path';
import { Broker, recordOf, RealFiles, type PublishListener, type Topic } from '../../src/broker/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { Latencies } from './latencies.ts';

/**
 * An embedded publisher has a broker in its own process and publishes to it, one message after the other is
 * on disk. It measures the cost of publishing besides the sync, without sockets.
 */
export class EmbeddedPublisher implements Generator {
  readonly #job: LoadJob & { kind: 'embedded-publisher' };
  readonly #broker: Broker;
  readonly #topic: Topic;

  private constructor(job: LoadJob & { kind: 'embedded-publisher' }, broker: Broker, topic: Topic) {
    this.#job = job;
    this.#broker = broker;
    this.#topic = topic;
  }

  static async open(job: LoadJob & { kind: 'embedded-publisher' }): Promise<EmbeddedPublisher> {
    const broker = await Broker.open({
      dir: join(job.directory, `embedded-${process.pid}`),
      files: new RealFiles(),
    });
    return new EmbeddedPublisher(job, broker, await broker.createTopic({ name: 'bench' }));
  }

  run(): Promise<Count> {
    const { payloadBytes, seconds } = this.#job;
    const topic = this.#topic;
    const record = recordOf({ key: 'bench', value: Buffer.alloc(payloadBytes, 2) });
    const latencies = new Latencies();
    return new Promise((resolve, reject) => {
      const startMs = nowMs();
      const deadlineMs = startMs + seconds * 1e3;
      let messages = 0;
      let publishedMs = startMs;
      const publish = (): void => {
        record.timestampMs = 0;
        topic.publish(record, undefined, listener, undefined);
      };
      const listener: PublishListener<undefined> = {
        published: () => {
          const endMs = nowMs();
          latencies.add((endMs - publishedMs) * 1e3);
          messages++;
          publishedMs = endMs;
          if (endMs < deadlineMs) publish();
          else resolve({ messages, startMs, endMs, latency: latencies.summary() });
        },
        refused: (_, error) => reject(error),
      };
      publish();
    });
  }

  end(): Promise<void> {
    return this.#broker.close();
  }
}
