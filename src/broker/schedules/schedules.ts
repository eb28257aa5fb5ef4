import { loadCronReader } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import { EntryKind } from '../entries.ts';
import { BrokerError } from '../errors.ts';
import type { Published } from '../topics/publishes.ts';
import type { Topic } from '../topics/topic.ts';
import { Carriers } from './carriers.ts';
import { RunPublisher } from './run-publisher.ts';
import { readScheduleTicked } from './schedule-entries.ts';
import { ScheduleRunner, type ScheduleRunnerHost } from './schedule-runner.ts';
import { Schedule, type ScheduleEntry } from './schedule.ts';
import type { ScheduleCarrier } from './schedule-carrier.ts';
import { scheduleConfig, type ScheduleConfig, type ScheduleOptions } from './schedule-config.ts';
import { Timetables } from './timetables.ts';

/** The services that the broker offers to schedules. */
export interface SchedulesHost extends ScheduleRunnerHost {
  readonly budgets: Budgets;
  /** The reason why nothing can be changed any more, if any. */
  readonly refusal: BrokerError | undefined;
  nextId(): number;
  topic(name: string): Topic | undefined;
  topicById(id: number): Topic | undefined;
  /** Notes a definition, which the next commit repeats. */
  defined(record: () => void): void;
  afterCommit(callback: () => void): void;
  /** Calls back when all changes so far, and the second copy of the definitions, are on disk. */
  afterDefinitions(callback: () => void): void;
}

const nothing = new Uint8Array(0);

/**
 * The schedules of a broker, by name. They are defined, paused, resumed, run and deleted here; the
 * {@link ScheduleRunner} publishes their messages when they are due.
 */
export class Schedules {
  readonly #host: SchedulesHost;
  readonly #byName = new Map<string, Schedule>();
  readonly #byId = new Map<number, Schedule>();
  readonly #carriers = new Carriers((schedule) => this.#remove(schedule));
  readonly #timetables = new Timetables();
  readonly #publisher: RunPublisher;
  readonly #runner: ScheduleRunner;

  constructor(host: SchedulesHost) {
    this.#host = host;
    this.#publisher = new RunPublisher(host, this.#timetables);
    this.#runner = new ScheduleRunner(host, this.#publisher, (schedule) => this.#remove(schedule));
  }

  get size(): number {
    return this.#byName.size;
  }

  /** How late the schedule is that has been due for the longest time, in milliseconds; 0 if none is due. */
  get lagMs(): number {
    return this.#runner.lagMs;
  }

  /** Messages published, runs passed over, and attempts that failed, of all schedules since the start. */
  get counts(): { readonly runs: number; readonly missed: number; readonly failures: number } {
    return this.#publisher.counts;
  }

  get(name: string): Schedule | undefined {
    return this.#byName.get(name);
  }

  /** All schedules, in the order of their definition. */
  list(): Iterable<Schedule> {
    return this.#byName.values();
  }

  // ---- definition

  /** Loads the reader of cron expressions, which {@link defineNow} needs for them. */
  async loadCron(): Promise<void> {
    this.#timetables.reader ??= await loadCronReader();
  }

  get hasCron(): boolean {
    return this.#timetables.reader !== undefined;
  }

  /**
   * Defines a schedule, or changes the one of that name. Its counts stay, and so does its next run unless its
   * times change. Resolves when it is durable. Rejects with `schedule-config-invalid`, `topic-not-found` or
   * `limit-reached`.
   */
  async define(options: ScheduleOptions): Promise<Schedule> {
    const config = scheduleConfig(options);
    if (config.cron !== undefined) await this.loadCron();
    this.#timetables.check(config);
    const topic = this.#host.topic(config.topic);
    if (!topic)
      throw new BrokerError(
        'topic-not-found',
        `Schedule "${config.name}" cannot publish: there is no topic "${config.topic}". Create it first.`,
        { topic: config.topic },
      );
    const known = this.#byName.get(config.name);
    if (known?.carrier) throw taken(known);
    const schedule = this.#defineNow(topic, config, undefined);
    await new Promise<void>((resolve) => this.#host.afterDefinitions(resolve));
    return schedule;
  }

  /**
   * Why {@link defineCarried} cannot be called with these options; undefined if it can. The cron reader must
   * be loaded.
   */
  refusalOf(options: ScheduleOptions): BrokerError | undefined {
    try {
      const config = scheduleConfig(options);
      this.#timetables.check(config);
      const known = this.#byName.get(config.name);
      if (known && !known.carrier) throw taken(known);
      const more = chargeOf(config) - (known ? chargeOf(known.config) : 0);
      return more > 0 ? this.#host.budgets.refusal('schedules', more) : undefined;
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
  }

  /**
   * Defines a schedule that lives with a message of its topic, in the open commit. When the message is
   * removed, the schedule is deleted.
   */
  defineCarried(topic: Topic, options: ScheduleOptions, carrier: ScheduleCarrier): Schedule {
    const known = this.#byName.get(options.name);
    if (known) this.#remove(known); // it lived with an earlier message
    return this.#defineNow(topic, scheduleConfig(options), carrier);
  }

  #defineNow(topic: Topic, config: ScheduleConfig, carrier: ScheduleCarrier | undefined): Schedule {
    if (this.#host.refusal) throw this.#host.refusal;
    this.#timetables.check(config);
    const { budgets, clock } = this.#host;
    const known = this.#byName.get(config.name);
    const charge = chargeOf(config);
    const more = charge - (known ? chargeOf(known.config) : 0);
    if (more > 0) budgets.check('schedules', more);
    const nowMs = Math.floor(clock.now());
    if (!known) {
      const state = {
        runs: 0,
        missed: 0,
        ...this.#publisher.nextOf(config, this.#timetables.of(config).first(nowMs)),
      };
      const entry = { config, createdMs: nowMs, state, ...(carrier ? { carrier } : {}) };
      const schedule = new Schedule(this.#host.nextId(), topic, entry);
      this.#add(schedule);
      this.#recordDefinition(schedule);
      this.#runner.place(schedule);
      return schedule;
    }
    if (JSON.stringify(known.config) === JSON.stringify(config) && known.topic === topic) return known;
    const { runs, missed, lastMs } = known.state;
    const isKept = timesOf(known.config) === timesOf(config) && known.state.nextMs !== undefined;
    const nextMs = isKept ? known.state.nextMs : this.#timetables.of(config).first(nowMs);
    const isOver = runs >= (config.count ?? Infinity);
    budgets.take('schedules', more);
    known.config = config;
    known.topic = topic;
    known.failure = undefined;
    known.state = {
      runs,
      missed,
      ...(lastMs === undefined ? {} : { lastMs }),
      ...this.#publisher.nextOf(config, isOver ? undefined : nextMs),
    };
    this.#recordDefinition(known);
    this.#runner.place(known);
    return known;
  }

  #recordDefinition(schedule: Schedule): void {
    const record = (): void => {
      if (schedule.isDeleted) return;
      this.#host.record(
        EntryKind.scheduleDefined,
        schedule.id,
        Buffer.from(JSON.stringify(schedule.entry())),
      );
    };
    record();
    this.#host.defined(record);
  }

  // ---- control

  /** Holds a schedule back: it runs no more until it is resumed. Resolves when that is durable. */
  async pause(name: string): Promise<Schedule> {
    const schedule = this.#known(name);
    if (schedule.isPaused) return schedule;
    schedule.isPaused = true;
    schedule.failure = undefined;
    this.#runner.remove(schedule);
    this.#recordDefinition(schedule);
    await this.#committed();
    return schedule;
  }

  /** Lets a paused schedule run again, from its first run after now. Resolves when that is durable. */
  async resume(name: string): Promise<Schedule> {
    const schedule = this.#known(name);
    if (!schedule.isPaused) return schedule;
    schedule.isPaused = false;
    const { nextMs } = schedule.state;
    if (nextMs !== undefined) {
      const nowMs = Math.floor(this.#host.clock.now());
      const resumedMs = this.#timetables.of(schedule.config).resumed(nextMs, nowMs);
      const { nextMs: _, dueMs: __, ...counts } = schedule.state;
      schedule.state = { ...counts, ...this.#publisher.nextOf(schedule.config, resumedMs) };
    }
    this.#recordDefinition(schedule);
    this.#runner.place(schedule);
    await this.#committed();
    return schedule;
  }

  /**
   * Publishes a schedule's message now, whether or not it is paused or has ended. Its next run stays; the run
   * counts. Resolves to the place of the message when that is durable. Rejects if the topic refuses it.
   */
  async run(name: string): Promise<Published> {
    return this.#runner.runNow(this.#known(name));
  }

  /** Deletes a schedule; resolves when that is durable. */
  async delete(name: string): Promise<void> {
    this.#remove(this.#known(name));
    await this.#committed();
  }

  #known(name: string): Schedule {
    if (this.#host.refusal) throw this.#host.refusal;
    const schedule = this.#byName.get(name);
    if (!schedule)
      throw new BrokerError('schedule-not-found', `There is no schedule "${name}".`, { schedule: name });
    return schedule;
  }

  #committed(): Promise<void> {
    return new Promise((resolve) => this.#host.afterCommit(resolve));
  }

  #add(schedule: Schedule): void {
    this.#byName.set(schedule.name, schedule);
    this.#byId.set(schedule.id, schedule);
    this.#host.budgets.take('schedules', chargeOf(schedule.config));
    this.#carriers.add(schedule);
  }

  /** Deletes a schedule in the open commit. */
  #remove(schedule: Schedule): void {
    if (schedule.isDeleted) return;
    this.#host.record(EntryKind.scheduleDeleted, schedule.id, nothing);
    this.#forget(schedule);
  }

  #forget(schedule: Schedule): void {
    schedule.isDeleted = true;
    this.#runner.remove(schedule);
    this.#byName.delete(schedule.name);
    this.#byId.delete(schedule.id);
    this.#host.budgets.release('schedules', chargeOf(schedule.config));
    this.#carriers.remove(schedule);
  }

  /** Forgets the schedules of a topic; the deletion of the topic is in the journal. */
  topicDeleted(topic: Topic): void {
    for (const schedule of this.#byName.values()) if (schedule.topic === topic) this.#forget(schedule);
  }

  // ---- the journal

  restoreDefined(id: number, entry: ScheduleEntry): void {
    const topic = this.#host.topicById(entry.topicId);
    const known = this.#byId.get(id) ?? this.#byName.get(entry.config.name);
    if (known) this.#forget(known);
    if (topic) this.#add(new Schedule(id, topic, entry));
  }

  restoreDeleted(id: number): void {
    const schedule = this.#byId.get(id);
    if (schedule) this.#forget(schedule);
  }

  restoreTicked(id: number, payload: Uint8Array): void {
    const schedule = this.#byId.get(id);
    if (schedule) schedule.state = readScheduleTicked(payload);
  }

  /** Id and definition of each schedule, for a checkpoint. */
  *entries(): Iterable<readonly [id: number, entry: Uint8Array]> {
    for (const schedule of this.#byName.values())
      yield [schedule.id, Buffer.from(JSON.stringify(schedule.entry()))];
  }

  // ---- life

  /** Called after the last entry of the journal, before the first client. */
  async recovered(): Promise<void> {
    const schedules = [...this.#byName.values()];
    if (schedules.some(({ config }) => config.cron !== undefined)) await this.loadCron();
  }

  /** Starts the timer, after recovery. */
  resumeTimers(): void {
    for (const schedule of this.#byName.values()) {
      // Messages in memory are gone, and other messages get their offsets.
      if (schedule.carrier && schedule.topic.config.durability === 'memory') this.#remove(schedule);
      else this.#runner.place(schedule);
    }
    this.#runner.start();
  }

  /** The wall clock was set. */
  clockJumped(byMs: number): void {
    this.#runner.clockJumped(byMs, () => this.#byName.values());
  }

  stop(): void {
    this.#runner.stop();
  }
}

/** A schedule counts as one, and as one more for each 2 KiB of its configuration. */
function chargeOf(config: ScheduleConfig): number {
  return 1 + Math.floor(JSON.stringify(config).length / 2048);
}

/** The error for a name that a schedule of the other kind has. */
function taken({ name, topic, carrier }: Schedule): BrokerError {
  const what = carrier
    ? `lives with message ${carrier.offset} of topic "${topic.name}"`
    : 'has this name already';
  const advice = carrier ? 'Publish that message again, changed' : 'Choose another one';
  return new BrokerError('not-allowed', `Schedule "${name}" ${what}. ${advice}.`, { schedule: name });
}

function timesOf({ cron, timeZone, everyMs, atMs, startMs, endMs }: ScheduleConfig): string {
  return JSON.stringify([cron, timeZone, everyMs, atMs, startMs, endMs]);
}
