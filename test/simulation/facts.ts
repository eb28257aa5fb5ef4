import type { GroupConfig, TopicConfig } from '../../src/broker/index.ts';
import { subjectMatches } from '../../src/util/index.ts';
import { AmqpKnown } from './amqp-known.ts';
import { ClockKnown } from './clock-known.ts';
import { CommittedOffsets, type Commit } from './committed-offsets.ts';
import type { Event, Fact, PublishFact } from './history.ts';
import type { Letter, Sighting } from './message.ts';
import type { ScheduleKnown } from './schedules-known.ts';
import { SqsKnown } from './sqs-known.ts';
import type { PullOptions } from './script.ts';
import { TransactionKnown } from './transactions-known.ts';
import type { PrecedenceKnown } from './precedence-known.ts';

/** No life lasts so long. */
const dayMs = 24 * 60 * 60_000;

/** The clients' knowledge of a publish. */
export interface PublishKnown extends PublishFact {
  readonly askedAt: number;
  readonly askedWallMs: number;
  /** When it was sent last: an idempotent producer sends until it has an answer. */
  run: number;
  sentAt: number;
  sentWallMs: number;
  /** `taken`: stored or a duplicate, it was not said which. */
  answer: 'none' | 'stored' | 'duplicate' | 'ignored' | 'taken' | 'refused' | 'unsure';
  /** When its publisher heard that it replaced another message of its unique key. */
  replacedAt?: number;
  /** The offset of the message that it replaced, if that is known: groups get it there. */
  place?: number;
  /** The publish may wait for earlier ones, so conditions at its request may no longer hold at its turn. */
  readonly mayWait: boolean;
  answeredWallMs: number;
  partition: number;
  /** -1: not known, or delayed. */
  offset: number;
  /** The times at which it may be due, of a delayed message, and the requests that they come from. */
  dues: { readonly at: number; readonly dueMs: number; isDone?: true }[];
  /** It was asked to be cancelled; and it surely is. */
  mayBeCancelled?: true;
  isCancelled?: true;
}

/** A stored message that a client has seen, or was told of. */
export interface Instance {
  readonly topic: TopicKnown;
  readonly partition: number;
  readonly offset: number;
  readonly id: number;
  readonly key: string | null;
  /** By the wall clock, without its jumps. */
  readonly timestampMs: number;
  /** False if its time may be another: the clock was set back over it. */
  readonly isTimeSure: boolean;
  readonly letter: Letter | undefined;
  /** Index of the event that first told of it. */
  readonly seenAt: number;
  /** Index of the look that did not find it any more. */
  goneAt: number | undefined;
}

/** The clients' knowledge of a topic. Configurations are kept from their request on. */
export class TopicKnown {
  readonly key: string;
  readonly name: string;
  readonly configs: TopicConfig[] = [];
  readonly created: { readonly run: number; readonly at: number };
  deletedAt: number | undefined = undefined;
  /** The last time its deletion was asked for. */
  deleted: { readonly run: number; readonly at: number } | undefined = undefined;
  readonly instances: Map<string, Instance> = new Map();
  readonly groups: GroupKnown[] = [];
  readonly publishes: PublishKnown[] = [];
  /** Purges, removals, redrives and rollups that were asked for, by index. */
  readonly removals: { readonly at: number; readonly fact: Fact; doneAt: number }[] = [];
  /** Dead letters that were put back, says the broker. */
  redriven = 0;
  /** Per partition: offsets that held a message once, or never. */
  readonly gone: number[] = [];
  /** Offsets `[from, to)` that the broker said it could not read. */
  readonly damages: { readonly partition: number; readonly from: number; readonly to: number }[] = [];
  /** Per partition: the offset after the last one known. */
  readonly next: number[] = [];
  /** How far each partition could be read, and up to which event a commit was on disk then, in this run. */
  readonly readable: {
    readonly partition: number;
    readonly end: number;
    readonly written: number;
    readonly ms: number;
  }[] = [];
  readonly #committed = new Map<string, CommittedOffsets>();

  constructor(key: string, created: { readonly run: number; readonly at: number }) {
    this.key = key;
    this.name = key.slice(0, key.indexOf('#'));
    this.created = created;
  }

  get isVolatile(): boolean {
    return this.configs[0]?.durability === 'memory';
  }

  get isQueueLike(): boolean {
    return this.configs[0] !== undefined && this.configs[0].retention !== 'limits';
  }

  isDamaged(partition: number, offset: number): boolean {
    return this.damages.some(
      (damage) => damage.partition === partition && offset >= damage.from && offset < damage.to,
    );
  }

  instance(partition: number, offset: number): Instance | undefined {
    return this.instances.get(`${partition}/${offset}`);
  }

  /** Number of levels of priority. */
  get priorities(): number {
    return this.configs[0]?.priorities ?? 1;
  }

  /** Whether some limit may remove messages without a request. */
  get drops(): boolean {
    return this.configs.some(
      ({ messagesMax, bytesMax, ageMsMax, messagesPerKeyMax, compaction }) =>
        (messagesMax ?? bytesMax ?? ageMsMax ?? messagesPerKeyMax) !== undefined || compaction,
    );
  }

  /** The commits of a Kafka group. */
  committed(group: string, partition: number): CommittedOffsets {
    const key = `${group}/${partition}`;
    let committed = this.#committed.get(key);
    if (!committed) this.#committed.set(key, (committed = new CommittedOffsets()));
    return committed;
  }

  restarted(at: number): void {
    if (this.isVolatile) this.forget();
    for (const committed of this.#committed.values()) committed.restarted(at);
  }

  forget(): void {
    this.#committed.clear();
    this.instances.clear();
    for (const publish of this.publishes) publish.offset = -1; // others get these offsets
    // A delayed message waits on disk, and a schedule goes on.
    const isKept = ({ dues, schedule }: PublishKnown): boolean => dues.length > 0 || schedule !== undefined;
    this.publishes.splice(0, Infinity, ...this.publishes.filter(isKept));
    this.next.length = 0;
    for (const group of this.groups) group.deliveries.clear();
  }
}

/** The clients' knowledge of a message in a group. */
export interface DeliveryKnown {
  readonly instance: Instance;
  /** Run, event, time and number of each delivery. */
  readonly log: { readonly run: number; readonly at: number; readonly ms: number; readonly count: number }[];
  /** So many are surely on disk, because the broker had the time to write them. */
  counted: number;
  /** When its wait for an answer began. */
  sinceMs: number;
  /** Before this time (in the same run) it is surely with its consumer. */
  inFlightUntilMs: number;
  /** Not delivered again before this time in the same run. */
  earliestMs: number;
  /** After that it is surely with its consumer no more; undefined: the waits of the group say so. */
  untilMs: number | undefined;
  /** The wait that the consumer brought. */
  ownWaitMs: number | undefined;
  /** The consumer that got the last delivery, where clients know. */
  consumer: number | undefined;
  /** When consumers gave it back, and whether that is surely on disk. */
  readonly releases: {
    readonly run: number;
    readonly at: number;
    readonly ms: number;
    isStored?: true;
  }[];
  answered: boolean;
  acked: { readonly run: number; readonly at: number } | undefined;
  /** An ack of all took it, unless its key kept it back. */
  mayBeAcked?: true;
  rejected: boolean;
  deadLettered: number;
}

/** A hold that a consumer asked for. */
export interface HoldKnown {
  readonly run: number;
  readonly at: number;
  readonly untilMs: number;
  /** Undefined: of the whole group. */
  readonly key: { readonly partition: number; readonly name: string | null } | undefined;
}

/** The clients' knowledge of a pull. */
export interface PullKnown {
  readonly group: string;
  readonly options: PullOptions;
  readonly askedMs: number;
  messages: number;
  bytes: number;
  hasEnded: boolean;
}

export class GroupKnown {
  readonly key: string;
  readonly name: string;
  readonly topic: TopicKnown;
  readonly configs: GroupConfig[] = [];
  readonly createdAt: number;
  readyAt: number | undefined = undefined;
  /** Index of the event that asked for its deletion; -1: it may be gone, or not. */
  deletedAt: number | undefined = undefined;
  deleted: { readonly run: number; readonly at: number } | undefined = undefined;
  /**
   * Index of the last reset or change of filters that was requested, or done; earlier messages may or may not
   * be delivered again.
   */
  disturbedAt = -1;
  resets = 0;
  /** Resets without an answer yet: they may take effect at any time until then. */
  resetsUnderWay = 0;
  /**
   * The last reset failed, or may have: the group stands where it stood, and receipts from before it hold.
   */
  hasFailedToMove = false;
  /** How often messages had been delivered before these: a crash may bring that back. */
  readonly countsBefore: Map<Instance, number> = new Map();
  /** How many of these consumers gave back. */
  readonly releasesBefore: Map<Instance, number> = new Map();
  paused = false;
  readonly deliveries: Map<Instance, DeliveryKnown> = new Map();
  /** Messages that the broker reported as given up, by partition and offset, and in which run. */
  readonly givenUp: Map<string, number> = new Map();
  /** Letters of it that were seen: where each came from. */
  readonly letters: Map<string, Instance[]> = new Map();
  /** Per partition and level: the last offset delivered for the first time in this run. */
  lastFresh: Map<string, number> = new Map();
  /** Messages that consumers gave back in this run and that were not delivered since, in that order. */
  readonly givenBack: Set<DeliveryKnown> = new Set();
  /** Its deletion was asked for. */
  wasToGo = false;

  constructor(key: string, topic: TopicKnown, createdAt: number) {
    this.key = key;
    this.name = key.slice(key.indexOf('/') + 1, key.lastIndexOf('#'));
    this.topic = topic;
    this.createdAt = createdAt;
  }

  get isStored(): boolean {
    return this.configs[0]!.durable && !this.topic.isVolatile;
  }

  /**
   * It may be deleted for want of a consumer, or be done with a message for its age, at a time that clients
   * do not know.
   */
  get mayExpire(): boolean {
    return this.configs.some(
      ({ inactiveMs = dayMs, messageTtlMs }) => inactiveMs < dayMs || messageTtlMs !== undefined,
    );
  }

  /** Its consumers read by themselves and commit offsets. */
  get isCommitted(): boolean {
    return this.configs[0]!.positions === 'committed';
  }

  /** Whether messages with a higher priority go first; undefined if that has changed. */
  get honoursPriority(): boolean | undefined {
    const honours = new Set(this.configs.map(({ priority }) => priority !== 'ignore'));
    return honours.size > 1 ? undefined : honours.has(true);
  }

  get isOrdered(): boolean {
    return this.configs.some(({ ordering }) => ordering === 'key');
  }

  /** Nothing of it, or of one key, is delivered before a time: postponed by consumers. */
  holds: HoldKnown[] = [];
  /** When a message of a key was last given back: the index of the event, by partition and key. */
  readonly keysFailedAt: Map<string, number> = new Map();
  /** The deliveries of this run, as a bucket of its largest rate counts them. */
  spent:
    | { readonly run: number; readonly limit: string; readonly ms: number; readonly level: number }
    | undefined = undefined;

  /** Messages of one key that one consumer may have. */
  get keyRunMax(): number {
    return Math.max(...this.configs.map(({ keyRunMax = 1 }) => keyRunMax));
  }

  get keyConcurrencyMax(): number {
    return Math.max(...this.configs.map(({ keyConcurrency = 1 }) => keyConcurrency));
  }

  get keysPerConsumerMax(): number {
    return Math.max(...this.configs.map(({ keysPerConsumerMax = Infinity }) => keysPerConsumerMax));
  }

  get concurrencyMax(): number {
    return Math.max(...this.configs.map(({ concurrency = Infinity }) => concurrency));
  }

  /** The largest rate that it may have had; undefined if it may have had none. */
  get rateMax(): { readonly perSecond: number; readonly burst: number } | undefined {
    if (this.configs.some(({ rate }) => rate === undefined)) return undefined;
    return {
      perSecond: Math.max(...this.configs.map(({ rate }) => rate!.perSecond)),
      burst: Math.max(...this.configs.map(({ rate }) => rate!.burst)),
    };
  }

  /** Of messages given back together, those of different keys may go out in any order. */
  get goesByKey(): boolean {
    return this.configs.some(
      ({ keyRunMax, keyConcurrency, keyRate, keysPerConsumerMax, heldMax }) =>
        keyRunMax ?? keyConcurrency ?? keyRate ?? keysPerConsumerMax ?? heldMax,
    );
  }

  get isAtMostOnce(): boolean {
    return this.configs[0]!.ack === 'none';
  }

  /** Matches under all filters that it may have had. */
  surelyWants(key: string | null): boolean {
    return this.configs.every((config) => wants(config, key));
  }

  mayWant(key: string | null): boolean {
    return this.configs.some((config) => wants(config, key));
  }

  get deadlineMsMin(): number {
    return Math.min(
      ...this.configs.map(({ backoffMeans, backoffMs, ackWaitMs }) =>
        backoffMeans === 'deadline' && backoffMs.length > 0 ? Math.min(...backoffMs) : ackWaitMs,
      ),
    );
  }

  backoffMsMin(deliveries: number): number {
    return Math.min(
      ...this.configs.map(({ backoffMeans, backoffMs, backoffJitter }) => {
        if (backoffMeans === 'deadline' || backoffMs.length === 0) return 0;
        return backoffMs[Math.min(deliveries, backoffMs.length) - 1]! * (1 - backoffJitter);
      }),
    );
  }

  get deadlineMsMax(): number {
    return Math.max(...this.configs.map(({ backoffMs, ackWaitMs }) => Math.max(ackWaitMs, ...backoffMs)));
  }

  get maxDeliverMax(): number {
    return Math.max(...this.configs.map(({ maxDeliver }) => maxDeliver ?? Infinity));
  }

  get maxDeliverMin(): number {
    return Math.min(...this.configs.map(({ maxDeliver }) => maxDeliver ?? Infinity));
  }

  get maxInFlightMax(): number {
    return Math.max(
      ...this.configs.map(({ maxInFlight, ack }) => (ack === 'none' ? Infinity : maxInFlight) ?? Infinity),
    );
  }

  /** Under some configuration it was asked to have. */
  get limitsInFlight(): boolean {
    return this.configs.some(
      ({ maxInFlight, concurrency, rate }) => (maxInFlight ?? concurrency ?? rate) !== undefined,
    );
  }

  delete(run: number, at: number): void {
    this.wasToGo = true;
    this.deletedAt ??= at;
    this.deleted ??= { run, at };
  }

  /** Deliveries are forgotten, until a crash brings them back because the reset was not on disk. */
  noteReset(): void {
    for (const [instance, { log, releases }] of this.deliveries) {
      const count = Math.max(log.at(-1)!.count, this.countsBefore.get(instance) ?? 0);
      this.countsBefore.set(instance, count);
      this.noteReleasedBefore(instance, releases.length);
    }
    this.deliveries.clear();
    this.givenBack.clear();
    this.holds = this.holds.filter(({ key }) => key === undefined); // those of keys go with their positions
    this.lastFresh.clear();
  }

  noteReleasedBefore(instance: Instance, times: number = 1): void {
    this.releasesBefore.set(instance, times + (this.releasesBefore.get(instance) ?? 0));
  }

  /** All resets are on disk. */
  forgetBefore(): void {
    this.countsBefore.clear();
    this.releasesBefore.clear();
  }

  /** Forgets the knowledge of the process that is gone. */
  restarted(known: Known): void {
    this.lastFresh.clear();
    this.givenBack.clear();
    if (this.resetsUnderWay > 0) this.hasFailedToMove = true;
    this.resetsUnderWay = 0;
    if (!this.isStored || this.readyAt === undefined) this.deletedAt ??= -1;
    if (this.deleted && !known.isDurable(this.deleted.run, this.deleted.at)) this.deleted = undefined;
  }
}

function wants({ filters }: GroupConfig, key: string | null): boolean {
  return filters.length === 0 || filters.some((filter) => matches(filter, key));
}

export function matches(pattern: string, key: string | null): boolean {
  return pattern === '>' || subjectMatches(pattern, key ?? '');
}

/** Everything the history has told so far, in the order it was told. */
export class Known {
  readonly topics: Map<string, TopicKnown> = new Map();
  readonly groups: Map<string, GroupKnown> = new Map();
  readonly publishes: Map<number, PublishKnown> = new Map();
  /** Positions that were asked to be committed, by the event. */
  readonly commits: Map<number, Commit> = new Map();
  readonly #transactions = new Map<number, TransactionKnown>();
  /**
   * When the broker first said that it gave a message up, by topic name, group name, partition and offset.
   */
  readonly deadLetteredAt: Map<string, number> = new Map();
  /** Per run: everything up to that event is on disk. */
  readonly #durable: number[] = [];
  run = 0;
  readonly clock: ClockKnown = new ClockKnown();
  /** Some delayed message could not be read. */
  isDelayLogDamaged = false;
  /** Schedules, by the messages that their runs publish. */
  readonly schedules: Map<number, ScheduleKnown> = new Map();
  /** Publishes to several topics, by the name that the content bears. */
  readonly toAll: Map<number, PublishKnown[]> = new Map();
  readonly queues: { readonly topic: string; readonly group: string }[] = [];
  /** Of this run, by group. */
  readonly precedences: Map<string, PrecedenceKnown> = new Map();
  readonly amqp: AmqpKnown = new AmqpKnown();
  readonly sqs: SqsKnown = new SqsKnown();
  /** Pulls under way, of this run. */
  readonly pulls: Map<number, PullKnown> = new Map();

  /** The broker is up: its clients can ask it. */
  isUp = false;
  upSinceWallMs = 0;
  /** When a sync failed, in this run. */
  syncFailedAt: number | undefined = undefined;
  /** Requests up to that event may be on disk; later ones are not. */
  written = -1;
  /** Index of the last request to stop. */
  stoppingAt = -1;

  isDurable(run: number, at: number): boolean {
    return at <= (this.#durable[run] ?? -1);
  }

  noteDurable(run: number, upTo: number): void {
    this.#durable[run] = Math.max(this.#durable[run] ?? -1, upTo);
  }

  /** The ack counts: the broker that heard it still lives, or it was on disk. */
  holds(ack: { readonly run: number; readonly at: number }): boolean {
    return ack.run === this.run || this.isDurable(ack.run, ack.at);
  }

  transaction(number: number): TransactionKnown {
    let transaction = this.#transactions.get(number);
    if (!transaction) this.#transactions.set(number, (transaction = new TransactionKnown(number)));
    return transaction;
  }

  /** The transaction that a stored message is part of. */
  transactionOf({ id, letter, topic }: Instance): TransactionKnown | undefined {
    const publish = this.publishes.get(id);
    if (publish?.transaction === undefined || letter || publish.topic !== topic.key) return undefined;
    return this.transaction(publish.transaction);
  }

  /** The level of a message. It has the same again when it is put back from a dead-letter topic. */
  levelOf({ id, topic }: Instance): number {
    return Math.min(this.publishes.get(id)?.plan.priority ?? 0, topic.priorities - 1);
  }

  /** How often dead letters were put back. */
  get redrives(): number {
    let count = 0;
    for (const { removals } of this.topics.values())
      for (const { fact } of removals) if (fact.kind === 'redrive') count++;
    return count;
  }

  topic(key: string, at: number): TopicKnown {
    let topic = this.topics.get(key);
    if (!topic) this.topics.set(key, (topic = new TopicKnown(key, { run: this.run, at })));
    return topic;
  }

  /** Topics of that name, whichever they are. */
  *named(name: string): Iterable<TopicKnown> {
    for (const topic of this.topics.values()) if (topic.name === name) yield topic;
  }

  /** The steady times that the timestamp of a message may be of. */
  #timesOf({ id, letter, timestampMs }: Sighting): number[] {
    const publish = this.publishes.get(id);
    const sinceMs = letter || !publish ? -Infinity : publish.askedWallMs;
    return this.clock.timesOf(timestampMs, sinceMs);
  }

  /**
   * The stored message that was seen, recorded if it is new. Undefined if it contradicts an earlier sight.
   */
  instanceOf(seen: Sighting, topic: TopicKnown, at: number, isSteady: boolean): Instance | undefined {
    const key = `${seen.partition}/${seen.offset}`;
    const known = topic.instances.get(key);
    if (known) return known.id === seen.id ? known : undefined;
    const { partition, offset, id, letter } = seen;
    const times = isSteady ? [seen.timestampMs] : this.#timesOf(seen);
    const instance = {
      topic,
      partition,
      offset,
      id,
      key: seen.key,
      timestampMs: times[0]!,
      isTimeSure: times.length === 1,
      letter,
      seenAt: at,
      goneAt: undefined,
    };
    topic.instances.set(key, instance);
    topic.next[partition] = Math.max(topic.next[partition] ?? 0, offset + 1);
    return instance;
  }
}

export type { Event };
