import type { HeapItem } from '../../util/index.ts';
import type { Topic } from '../topics/topic.ts';
import type { ScheduleCarrier } from './schedule-carrier.ts';
import type { ScheduleConfig } from './schedule-config.ts';

/** The state of a schedule that is stored with each of its runs. */
export interface ScheduleState {
  /** The time of the next run; absent: there is none. */
  readonly nextMs?: number;
  /** The time at which the next run is published: later than `nextMs` by its part of the jitter. */
  readonly dueMs?: number;
  /** Messages published so far. */
  readonly runs: number;
  /** Runs that were passed over so far. */
  readonly missed: number;
  /** When the last message was published. */
  readonly lastMs?: number;
}

/** The journal's entry that defines a schedule, with its state. */
export interface ScheduleEntry {
  readonly topicId: number;
  readonly config: ScheduleConfig;
  readonly createdMs: number;
  readonly carrier?: ScheduleCarrier;
  readonly paused?: true;
  readonly state: ScheduleState;
}

/** Why the last attempt to publish failed, and when it is repeated. */
export interface ScheduleFailure {
  readonly message: string;
  readonly atMs: number;
  /** Attempts in a row that failed. */
  readonly attempts: number;
}

/**
 * A schedule publishes a message to its topic at times of its own. Each run is one commit with the state
 * after it, so that it publishes once.
 */
export class Schedule implements HeapItem {
  readonly id: number;
  readonly createdMs: number;
  topic: Topic;
  config: ScheduleConfig;
  carrier: ScheduleCarrier | undefined;
  isPaused: boolean;
  state: ScheduleState;
  failure: ScheduleFailure | undefined = undefined;
  isDeleted: boolean = false;
  /** When it is due by steady time; only the schedule's timer uses it, and its place in the heap. */
  dueSteadyMs: number = Infinity;
  heapIndex: number = -1;

  constructor(id: number, topic: Topic, entry: Omit<ScheduleEntry, 'topicId'>) {
    this.id = id;
    this.topic = topic;
    this.createdMs = entry.createdMs;
    this.config = entry.config;
    this.carrier = entry.carrier;
    this.isPaused = entry.paused === true;
    this.state = entry.state;
  }

  get name(): string {
    return this.config.name;
  }

  get status(): 'active' | 'paused' | 'ended' {
    if (this.state.nextMs === undefined) return 'ended';
    return this.isPaused ? 'paused' : 'active';
  }

  /** Whether its times follow the wall clock; an interval follows steady time. */
  get isByWallClock(): boolean {
    return this.config.everyMs === undefined;
  }

  entry(): ScheduleEntry {
    const { topic, config, createdMs, carrier, state } = this;
    return {
      topicId: topic.id,
      config,
      createdMs,
      ...(carrier ? { carrier } : {}),
      ...(this.isPaused ? { paused: true } : {}),
      state,
    };
  }
}
