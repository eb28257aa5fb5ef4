import type { Clock, Random, SteadyTime } from '../../util/index.ts';
import type { ActiveConsumer } from './active-consumer.ts';
import type { Budgets } from '../budgets.ts';
import type { ChangingGroup, CommitUrgency } from '../commit-cycle.ts';
import type { DeadLetterHost } from '../dead-letters/dead-letter.ts';
import { BrokerError } from '../errors.ts';
import type { Filter } from '../partitions/filter.ts';
import type { GroupConfig } from './group-config.ts';
import type { StoredHold } from '../entries.ts';
import type { Group, Topic } from '../model.ts';
import type { Partition } from '../partitions/partition.ts';
import { Positions } from './positions.ts';
import type { Pacing } from '../pacing.ts';
import { Throttle } from './throttle.ts';
import { Rate } from '../partitions/rates.ts';

/** The services that the broker offers to its groups. */
export interface GroupHost extends DeadLetterHost {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  readonly random: Random;
  readonly budgets: Budgets;
  readonly pacing: Pacing;
  /** True until the whole data directory has been read back. */
  readonly recovering: boolean;
  /** The group has changes that the next commit must carry. */
  groupChanged(group: ChangingGroup, urgency: CommitUrgency): void;
  afterCommit(callback: () => void): void;
  /** Defines a group in the open commit, with its current positions. */
  defineGroup(group: Group): void;
  redefineGroup(group: Group): void;
  undefineGroup(group: Group): void;
  /** Stores a hold in the open commit. */
  holdGroup(group: Group, hold: StoredHold): void;
}

/** Decides what happens to messages that a group is done with. */
export interface Settlements {
  /** Whether groups must remember the keys of their deliveries, for {@link settled}. */
  readonly needKeys: boolean;
  /** A group is done with a message. `key` may be missing if the message was delivered before a restart. */
  settled(partition: Partition, offset: number, key: string | undefined, by: SettlingGroup): void;
  /** A group is done with everything in `[from, to)`. */
  passed(partition: Partition, from: number, to: number, by: SettlingGroup): void;
}

/** The messages of a topic whose time to live is over. */
export interface ExpiringMessages {
  /** Whether none is due, so that groups may deliver. If one is, the groups are woken when it is out. */
  catchUp(): boolean;
  /** A consumer no longer holds a message: it expires if its time is over. */
  released(partition: Partition, offset: number): void;
  /** The same for all messages that a group held. */
  releasedAll(): void;
}

/** The part of a group that settlements use. */
export interface SettlingGroup {
  /** The messages that the group takes; undefined: all. */
  readonly filter: Filter | undefined;
  isDone(partition: number, offset: number): boolean;
}

/** The unique keys of messages that wait for their first delivery. */
export interface WaitingKeys {
  /** How many there are. */
  readonly waiting: number;
  /** A message was delivered for the first time. */
  delivered(partition: number, offset: number): void;
  /** A group is done with everything in `[from, to)`, without deliveries. */
  passed(partition: number, from: number, to: number): void;
}

/** The part of a topic that its groups use. */
export interface GroupTopic extends Topic {
  readonly partitions: Topic['partitions'] & {
    /** The partitions in use. */
    readonly opened: readonly Partition[];
    indexes(): number[];
  };
  readonly settlements: Settlements;
  readonly expiry: ExpiringMessages;
  /** When a message came, in steady time: what its age counts from. */
  arrivedMs(partition: Partition, offset: number, timestampMs: number): number;
  readonly uniqueKeys: WaitingKeys;
  readonly inRate: Rate;
  /** Counts of messages that left the topic; dead letters of its groups are counted here, too. */
  readonly leaving: { deadLettered: number; readonly counts: object; readonly lost: number };
  /** The filter of a group changed. */
  groupsChanged(): void;
  /** Takes a group out. Messages that only this group retained are removed. */
  removeGroup(group: Group): void;
}

/** The state shared by the deliveries and answers of a group: positions, configuration and counts. */
export class GroupState implements ChangingGroup {
  readonly group: Group & SettlingGroup;
  readonly topic: GroupTopic;
  readonly positions: Positions;
  /** Whether the group survives a restart. Never changes. */
  readonly isStored: boolean;
  readonly deliverRate: Rate = new Rate();
  readonly ackRate: Rate = new Rate();
  /** Messages since the start that were too old for the group. */
  expired = 0;
  /** Number of the last delivery. */
  deliverySequence = 0;
  lastDeliveredMs: number | undefined = undefined;
  lastAckMs: number | undefined = undefined;
  /** See {@link ChangingGroup}. */
  changed = false;
  config: GroupConfig;
  filter: Filter | undefined;
  /** Whether deliveries and timers have begun: the group is at its start, or was fully recovered. */
  started = false;
  closed = false;
  /** The active consumer, of a group that has a single one. */
  active: ActiveConsumer | undefined = undefined;
  /** The end of the pause in steady time, which a jump of the wall clock does not move; undefined: no end. */
  pauseEndsMs: number | undefined = undefined;
  /** Nothing is delivered before this time, on the monotonic clock: see group-holds.ts. */
  heldUntilMs: number = -Infinity;
  /** Undefined if the configuration limits neither rate nor concurrency. */
  throttle: Throttle | undefined = undefined;
  /** Number of moves that are requested and not finished. */
  moving = 0;
  readonly #host: GroupHost;

  constructor(
    host: GroupHost,
    group: Group & SettlingGroup,
    topic: GroupTopic,
    config: GroupConfig,
    filter: Filter | undefined,
  ) {
    this.#host = host;
    this.group = group;
    this.topic = topic;
    this.positions = new Positions(topic.partitions);
    this.isStored = config.durable && topic.config.durability === 'disk';
    this.config = config;
    this.filter = filter;
    this.setThrottle();
  }

  get id(): number {
    return this.group.id;
  }

  get isPaused(): boolean {
    const { paused, pausedUntilMs } = this.config;
    return paused && (this.pauseEndsMs ?? pausedUntilMs ?? Infinity) > this.#host.steady.now();
  }

  /** Whether messages of a higher priority are delivered first. */
  get isByLevel(): boolean {
    return this.topic.config.priorities !== undefined && this.config.priority !== 'ignore';
  }

  /** Whether consumers read by themselves and commit offsets. */
  get isCommitted(): boolean {
    return this.config.positions === 'committed';
  }

  /** Whether a hold keeps all messages back. */
  get isHeld(): boolean {
    return this.heldUntilMs > 0 && this.heldUntilMs > this.#host.clock.monotonic();
  }

  /** Whether the group is paused or held, so that there is nothing to deliver. */
  get isResting(): boolean {
    return this.isPaused || this.isHeld;
  }

  /** Whether anything may be delivered now. */
  get isDelivering(): boolean {
    return this.started && this.moving === 0 && !this.closed && !this.isResting && !this.isCommitted;
  }

  /** The next time after now when a hold ends or the rate allows a delivery; Infinity if there is none. */
  goesOnMs(nowMs: number): number {
    const rateMs = this.throttle?.dueMs ?? Infinity;
    const dueMs = rateMs > nowMs ? rateMs : Infinity;
    return this.heldUntilMs > nowMs ? Math.min(this.heldUntilMs, dueMs) : dueMs;
  }

  /** Number of messages in flight, on all partitions. */
  get inFlight(): number {
    let inFlight = 0;
    for (const { pending } of this.positions.opened) inFlight += pending.inFlight;
    return inFlight;
  }

  /** Applies the limits of rate and concurrency of the configuration. */
  setThrottle(): void {
    const { rate, concurrency } = this.config;
    if (rate !== undefined || concurrency !== undefined) this.throttle ??= new Throttle();
    this.throttle?.configure(this.config, this.#host.clock.monotonic());
  }

  /** Whether it matters which consumer has a key: messages may go to some consumers and not to others. */
  get consumersOwnKeys(): boolean {
    const { keyRunMax = 1, keysPerConsumerMax = Infinity } = this.config;
    return keyRunMax > 1 || keysPerConsumerMax < Infinity;
  }

  /** Whether messages are being loaded from disk; deliveries continue when the load has ended. */
  get isLoading(): boolean {
    return this.positions.opened.some((position) => position.isLoading);
  }

  /** Messages still to deliver for the first time. */
  get lag(): number {
    const { opened } = this.positions;
    if (opened.length === 1) return opened[0]!.lag;
    let lag = 0;
    for (const position of opened) lag += position.lag;
    return lag;
  }

  /** The deadline of the n-th delivery of a message, as a wait in milliseconds. */
  deadlineMs(deliveries: number): number {
    const { backoffMs, backoffMeans, ackWaitMs } = this.config;
    if (backoffMeans === 'wait' || backoffMs.length === 0) return ackWaitMs;
    return backoffMs[Math.min(deliveries, backoffMs.length) - 1]!;
  }

  /** Makes the next commit carry the changes. */
  noteChange(urgency: CommitUrgency): void {
    if (this.isStored) this.#host.groupChanged(this, urgency);
    else for (const position of this.positions.opened) position.changes.clear();
  }

  /** Throws if the group was deleted. */
  checkOpen(): void {
    if (!this.closed) return;
    const { name, topic } = this.group;
    throw new BrokerError('group-not-found', `Group "${name}" of topic "${topic.name}" was deleted.`, {
      topic: topic.name,
      group: name,
    });
  }

  /** Resolves when all changes so far are durable. */
  committed(): Promise<void> {
    return new Promise((resolve) => this.#host.afterCommit(resolve));
  }
}
