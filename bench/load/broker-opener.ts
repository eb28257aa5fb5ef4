import { Broker, RealFiles } from '../../src/broker/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

/** A broker opener opens a broker on the data of another one, and closes it in order. */
export class BrokerOpener implements Generator {
  readonly #job: LoadJob & { kind: 'broker-opener' };
  #broker: Broker | undefined;

  constructor(job: LoadJob & { kind: 'broker-opener' }) {
    this.#job = job;
  }

  async run(): Promise<Count> {
    const startMs = nowMs();
    const broker = await Broker.open({ dir: this.#job.directory, files: new RealFiles() });
    const endMs = nowMs();
    this.#broker = broker;
    let messages = 0;
    for (const topic of broker.topics.values()) messages += topic.count;
    return { messages, startMs, endMs };
  }

  async end(): Promise<void> {
    await this.#broker?.close();
  }
}
