import { IndexedHeap, type SteadyTime, type Timer } from '../../util/index.ts';
import { BrokerError, topicError } from '../errors.ts';
import type { StoredMessage } from '../model.ts';
import type { Pacing } from '../pacing.ts';
import type { Published, PublishListener } from '../topics/publishes.ts';
import type { RunPublisher, RunPublisherHost } from './run-publisher.ts';
import type { Schedule } from './schedule.ts';

/** The services that the broker offers to the runner of schedules. */
export interface ScheduleRunnerHost extends RunPublisherHost {
  readonly steady: SteadyTime;
  readonly pacing: Pacing;
  /** Resolves when the log is not congested; undefined if it is not congested now. */
  uncongested(): Promise<void> | undefined;
}

const retryMsMin = 1000;
const retryMsMax = 60_000;

/**
 * The runner publishes schedules when they are due: one timer for all of them, and a heap by steady time. A
 * schedule whose topic refuses its message is tried again after a second, and then after twice as long each
 * time, up to a minute.
 */
export class ScheduleRunner {
  readonly #host: ScheduleRunnerHost;
  readonly #publisher: RunPublisher;
  /** Deletes a schedule in the open commit. */
  readonly #delete: (schedule: Schedule) => void;
  readonly #heap = new IndexedHeap<Schedule>(
    (a, b) => a.dueSteadyMs < b.dueSteadyMs || (a.dueSteadyMs === b.dueSteadyMs && a.id < b.id),
  );
  #timer: Timer | undefined = undefined;
  #timerDueMs = Infinity;
  #isStarted = false;
  #isStopped = false;
  #isRunning = false;
  /** The jumps of the clock that the times of intervals do not follow yet. */
  #jumpedByMs = 0;

  constructor(host: ScheduleRunnerHost, publisher: RunPublisher, remove: (schedule: Schedule) => void) {
    this.#host = host;
    this.#publisher = publisher;
    this.#delete = remove;
  }

  get lagMs(): number {
    const first = this.#heap.peek();
    return first ? Math.max(0, this.#host.steady.now() - first.dueSteadyMs) : 0;
  }

  /** Puts a schedule in its place by its next run, or takes it out if there is none. */
  place(schedule: Schedule): void {
    this.remove(schedule);
    const { state, isDeleted } = schedule;
    if (isDeleted) return;
    if (state.dueMs === undefined) {
      if (schedule.config.whenEnded === 'delete') this.#end(schedule);
      return;
    }
    if (schedule.isPaused) return;
    this.#push(schedule, state.dueMs - this.#host.steady.aheadMs);
    this.#arm();
  }

  remove(schedule: Schedule): void {
    this.#heap.remove(schedule);
  }

  #push(schedule: Schedule, dueSteadyMs: number): void {
    schedule.dueSteadyMs = dueSteadyMs;
    this.#heap.push(schedule);
  }

  /** Deletes a schedule that has ended, and the message that it lived with. */
  #end(schedule: Schedule): void {
    const { carrier, topic } = schedule;
    this.#delete(schedule);
    if (carrier) topic.partitions.at(carrier.partition)?.remove(carrier.offset);
  }

  start(): void {
    this.#isStarted = true;
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /**
   * The wall clock was set: schedules by the wall clock move in steady time, and the times of intervals move
   * with the clock. It may be noticed in the middle of other work, so it takes effect after that.
   */
  clockJumped(byMs: number, schedules: () => Iterable<Schedule>): void {
    if (!this.#isStarted) return;
    const isNoted = this.#jumpedByMs !== 0;
    this.#jumpedByMs += byMs;
    if (isNoted) return;
    this.#host.clock.defer(() => {
      const movedByMs = Math.round(this.#jumpedByMs);
      this.#jumpedByMs = 0;
      if (this.#isStopped) return;
      for (const schedule of schedules()) {
        const { nextMs, dueMs } = schedule.state;
        if (nextMs === undefined || dueMs === undefined) continue;
        if (!schedule.isByWallClock) {
          schedule.state = {
            ...schedule.state,
            nextMs: Math.max(0, nextMs + movedByMs),
            dueMs: Math.max(0, dueMs + movedByMs),
          };
          this.#publisher.record(schedule);
        } else if (schedule.heapIndex >= 0) this.place(schedule);
      }
      this.#arm();
    });
  }

  #arm(): void {
    const dueMs = this.#heap.peek()?.dueSteadyMs ?? Infinity;
    if (!this.#isStarted || this.#isStopped || this.#isRunning || dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#host.clock.setTimer(dueMs - this.#host.steady.now(), () => {
      this.#timerDueMs = Infinity;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    for (;;) {
      const wait = this.#host.uncongested() ?? this.#host.pacing.rest();
      if (wait) await wait;
      const schedule = this.#heap.peek();
      if (this.#isStopped || !schedule || schedule.dueSteadyMs > this.#host.steady.now()) break;
      if (this.#isEarly(schedule)) this.place(schedule);
      else if (schedule.config.source === undefined) this.#publish(schedule, undefined);
      else await this.#publishFromSource(schedule);
    }
    this.#isRunning = false;
    this.#arm();
  }

  /** The clock was set back, and the schedule is not moved yet. */
  #isEarly(schedule: Schedule): boolean {
    return schedule.isByWallClock && schedule.state.dueMs! > this.#host.clock.now();
  }

  async #publishFromSource(schedule: Schedule): Promise<void> {
    const { state } = schedule;
    try {
      const source = await sourceOf(schedule);
      // It was changed meanwhile: it is looked at again.
      if (this.#isStopped || schedule.heapIndex < 0 || schedule.state !== state) return;
      this.#publish(schedule, source);
    } catch (error) {
      if (schedule.heapIndex >= 0) this.#failed(schedule, error);
    }
  }

  #publish(schedule: Schedule, source: StoredMessage | undefined): void {
    let problem: unknown;
    try {
      problem = this.#publisher.publishDue(schedule, source);
    } catch (error) {
      problem = error; // the rules of its time zone are gone, say: other schedules go on
    }
    if (problem === undefined) this.place(schedule);
    else this.#failed(schedule, problem);
  }

  #failed(schedule: Schedule, error: unknown): void {
    const attempts = (schedule.failure?.attempts ?? 0) + 1;
    const message = error instanceof Error ? error.message : String(error);
    schedule.failure = { message, atMs: Math.floor(this.#host.clock.now()), attempts };
    this.#publisher.counts.failures++;
    this.remove(schedule);
    const retryMs = Math.min(retryMsMin * 2 ** (attempts - 1), retryMsMax);
    this.#push(schedule, this.#host.steady.now() + retryMs);
  }

  /** See `Schedules.run`. */
  async runNow(schedule: Schedule): Promise<Published> {
    const source = await sourceOf(schedule);
    const { name } = schedule;
    if (schedule.isDeleted)
      throw new BrokerError('schedule-not-found', `Schedule "${name}" was deleted.`, { schedule: name });
    if (this.#isStopped) throw topicError(schedule.topic, 'closed', 'is gone');
    return new Promise((resolve, reject) => {
      const listener: PublishListener<undefined> = {
        published: (_, partition, offset, duplicate) => resolve({ partition, offset, duplicate }),
        refused: (_, error) => reject(error),
      };
      this.#publisher.publishNow(schedule, source, listener, undefined);
      if (schedule.state.nextMs === undefined) this.place(schedule);
    });
  }
}

/** The message that gives value and headers to a run; undefined if there is none. */
async function sourceOf({ config, topic }: Schedule): Promise<StoredMessage | undefined> {
  if (!config.source) return undefined;
  let last: StoredMessage | undefined;
  for (const partition of topic.partitions.opened.slice()) {
    const found = await partition.last(config.source.key);
    if (found && (!last || found.timestampMs > last.timestampMs)) last = found;
  }
  return last;
}
