import {
  Broker,
  recordOf,
  RealFiles,
  type PublishListener,
  type Record,
  type Topic,
} from '../../src/broker/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

const window = 4096;

/**
 * A journal filler publishes until the journal has the requested size. Checkpoints are put off, so that all
 * of it must be replayed. Its process is to be killed.
 */
export class JournalFiller implements Generator {
  readonly #job: LoadJob & { kind: 'journal-filler' };
  readonly #broker: Broker;
  readonly #topic: Topic;

  private constructor(job: LoadJob & { kind: 'journal-filler' }, broker: Broker, topic: Topic) {
    this.#job = job;
    this.#broker = broker;
    this.#topic = topic;
  }

  static async open(job: LoadJob & { kind: 'journal-filler' }): Promise<JournalFiller> {
    const { directory, journalBytes } = job;
    const broker = await Broker.open({
      dir: directory,
      files: new RealFiles(),
      log: { checkpointBytes: 4 * journalBytes },
    });
    return new JournalFiller(job, broker, await broker.createTopic({ name: 'bench', keyState: true }));
  }

  run(): Promise<Count> {
    const { payloadBytes, journalBytes } = this.#job;
    const broker = this.#broker;
    const topic = this.#topic;
    const record: Record = recordOf({ key: 'bench.recovery.subject', value: Buffer.alloc(payloadBytes, 2) });
    return new Promise((resolve, reject) => {
      const startMs = nowMs();
      let published = 0;
      let acked = 0;
      const publish = (): void => {
        published++;
        record.timestampMs = 0;
        topic.publish(record, undefined, listener, undefined);
      };
      const listener: PublishListener<undefined> = {
        published: () => {
          acked++;
          if (broker.stats().log.commitBytes < journalBytes) publish();
          else if (acked === published) resolve({ messages: acked, startMs, endMs: nowMs() });
        },
        refused: (_, error) => reject(error),
      };
      for (let i = 0; i < window; i++) publish();
    });
  }

  /** Closes nothing: the process is to be killed. */
  end(): void {}
}
