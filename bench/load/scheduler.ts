import { Broker, RealFiles } from '../../src/broker/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

type SchedulerJob = LoadJob & { readonly kind: 'scheduler' };

/** How often the lateness of the schedules is looked at. */
const lookMs = 20;

/**
 * A scheduler is a broker of its own with many schedules of one second. It counts the messages that they
 * publish, and how late they are.
 */
export class Scheduler implements Generator {
  readonly #job: SchedulerJob;
  readonly #broker: Broker;

  private constructor(job: SchedulerJob, broker: Broker) {
    this.#job = job;
    this.#broker = broker;
  }

  static async open(job: SchedulerJob): Promise<Scheduler> {
    const { directory, schedules, payloadBytes } = job;
    const broker = await Broker.open({
      dir: directory,
      files: new RealFiles(),
      budgets: { schedules: 2 * schedules },
    });
    await broker.createTopic({ name: 'bench' });
    const message = { value: 'x'.repeat(payloadBytes) };
    const defined = Array.from({ length: schedules }, (_, index) =>
      broker.schedules.define({ name: `schedule ${index}`, topic: 'bench', message, everyMs: 1000 }),
    );
    await Promise.all(defined);
    return new Scheduler(job, broker);
  }

  async run(): Promise<Count> {
    const { schedules } = this.#broker;
    const startMs = nowMs();
    const before = schedules.counts.runs;
    const lateUs: number[] = [];
    while (nowMs() - startMs < this.#job.seconds * 1000) {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      lateUs.push(schedules.lagMs * 1000);
    }
    const messages = schedules.counts.runs - before;
    lateUs.sort((a, b) => a - b);
    const share = (part: number): number => lateUs[Math.floor(part * (lateUs.length - 1))] ?? 0;
    return { messages, startMs, endMs: nowMs(), latency: { p50Us: share(0.5), p99Us: share(0.99) } };
  }

  /** Closes in order, so that the next broker has nothing to replay. */
  async end(): Promise<void> {
    await this.#broker.close();
  }
}
