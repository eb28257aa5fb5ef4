import type { Broker, Group, Topic } from '../../broker/index.ts';
import type { Timer } from '../../util/index.ts';
import { QuietTopics } from '../quiet-topics.ts';
import type { SyncTimes } from '../sync-times.ts';
import { type Alarm, type AlarmChange, type Reading, ruleNames, type RuleName } from './alarm.ts';
import type { AlarmPolicy } from './alarm-settings.ts';
import type { SavedAlarm, SavedMemory } from './alarm-file.ts';
import { AlarmState, levelAt } from './alarm-state.ts';
import { type GroupMemory, newGroupMemory, type Now, readGroup } from './group-readings.ts';
import { type Rule, type RuleLimits, rules } from './rules.ts';
import { restoreGroupMemory, restoreTopicMemory, saveGroupMemory, saveTopicMemory } from './saved-memory.ts';
import { readServer, type ServerFigures, SyncWindow } from './server-readings.ts';
import type { Shedder } from './shedder.ts';
import { newTopicMemory, readTopic, type TopicMemory } from './topic-readings.ts';

/** A search for the oldest message of a group with a filter may take so long, and all of an evaluation. */
const searchMs = 100;
const searchesMs = 1000;

/** What the watch needs of the server around it. */
export interface WatchHost {
  readonly broker: Broker;
  readonly policy: AlarmPolicy;
  readonly intervalMs: number;
  /** Alarms that are kept at once; more are only counted. */
  readonly alarmsMax: number;
  readonly syncTimes: SyncTimes;
  readonly figures: () => ServerFigures;
  /** A promise for the next turn if this one is over: an evaluation of many topics shares the event loop. */
  readonly rest: () => Promise<void> | undefined;
  /** What acts on the backlogs of topics. */
  readonly shedder?: Shedder;
  readonly onError: (error: unknown) => void;
  /** An evaluation has ended. */
  readonly onEvaluated?: () => void;
}

/** A subject is what rules measure: the server, a topic or a group, with what the last evaluations saw. */
interface Subject<M> {
  readonly topic: string | null;
  readonly group: string | null;
  readonly memory: M;
  /** The limits in force by rule; null: off. Undefined where they are the same for all. */
  limits: Map<RuleName, RuleLimits | null> | undefined;
  /** Undefined until there is one: nearly all subjects have none. */
  alarms: Map<RuleName, Held> | undefined;
}

/** An alarm that is pending or fires. */
interface Held {
  /** Null: the server. */
  readonly owner: Topic | Group | null;
  readonly state: AlarmState;
  readonly end: () => void;
  /** The evaluation that saw it last. */
  round: number;
  alarm: Alarm;
}

/**
 * The watch evaluates the rules over all topics and groups, again and again, and knows the alarms. It passes
 * over quiet topics, and its cost is spent in turns. What it remembers of a topic or group goes with it.
 */
export class AlarmWatch {
  readonly #host: WatchHost;
  readonly #subjects = new WeakMap<Topic | Group, Subject<unknown>>();
  readonly #server: Subject<SyncWindow>;
  readonly #quiet = new QuietTopics();
  readonly #held = new Set<Held>();
  readonly #listeners = new Set<(change: AlarmChange) => void>();
  #timer: Timer | undefined = undefined;
  #isStopped = false;
  #round = 0;
  #omitted = 0;
  #omittedNow = 0;
  #searchedMs = 0;
  #evaluatedMs: number | undefined = undefined;

  constructor(host: WatchHost) {
    this.#host = host;
    this.#server = newSubject(null, null, new SyncWindow(host.syncTimes));
  }

  /** Evaluates at intervals from now on. */
  start(): void {
    const { policy, shedder } = this.#host;
    if (this.#isStopped || (policy.isEmpty && (shedder?.isIdle ?? true))) return;
    this.#timer = this.#host.broker.clock.setTimer(this.#host.intervalMs, () => {
      this.evaluate()
        .catch((error: unknown) => {
          if (!this.#isStopped) this.#host.onError(error);
        })
        .finally(() => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Calls back at each change, as soon as it is known. Returns the function that ends the subscription. */
  subscribe(listener: (change: AlarmChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All alarms, the most serious first, and of these the oldest first. */
  list(): readonly Alarm[] {
    return Array.from(this.#held, ({ alarm }) => alarm).sort(
      (a, b) =>
        seriousness(b) - seriousness(a) ||
        a.sinceMs - b.sinceMs ||
        ruleNames.indexOf(a.rule) - ruleNames.indexOf(b.rule),
    );
  }

  /** Alarms of the last evaluation that are not in the list, because there are too many. */
  get omitted(): number {
    return this.#omitted;
  }

  /** When the last evaluation ended, in milliseconds since the epoch; undefined: there was none yet. */
  get evaluatedMs(): number | undefined {
    return this.#evaluatedMs;
  }

  /** The alarms that fire, to be restored after a restart. */
  saved(): readonly SavedAlarm[] {
    const now = this.#now();
    const firing = [...this.#held].filter(({ state }) => state.state === 'firing');
    return firing.map(({ alarm, owner }) => {
      const memory = owner && this.#subjects.get(owner)?.memory;
      if (!owner || memory === undefined) return { alarm, createdMs: owner?.createdMs ?? null, memory: null };
      const saved =
        'topic' in owner
          ? saveGroupMemory(memory as GroupMemory, now)
          : saveTopicMemory(memory as TopicMemory, now);
      return { alarm, createdMs: owner.createdMs, memory: saved };
    });
  }

  /** Alarms that fired before a restart go on, and nobody is told again. */
  restore(alarms: readonly SavedAlarm[]): void {
    for (const { alarm, createdMs, memory } of alarms) {
      if (this.#held.size >= this.#host.alarmsMax) return;
      const subject = this.#restored(alarm, createdMs, memory);
      if (!subject || this.#limitsOf(subject.of, alarm.rule) === null) continue;
      const held = this.#hold(subject.of, alarm.rule, subject.owner);
      held.state.resume(alarm.sinceMs, alarm.level);
      held.alarm = alarm;
    }
  }

  /** The subject of a saved alarm; undefined if its topic or group is gone. */
  #restored(
    { topic: topicName, group: groupName }: Alarm,
    createdMs: number | null,
    memory: SavedMemory | null,
  ): { readonly of: Subject<unknown>; readonly owner: Topic | Group | null } | undefined {
    if (topicName === null) return { of: this.#server, owner: null };
    const topic = this.#host.broker.topic(topicName);
    const owner = groupName === null ? topic : topic?.groups.get(groupName);
    if (!owner || owner.createdMs !== createdMs) return undefined;
    const now = this.#now();
    const of = this.#subjectOf<unknown>(owner, () =>
      newSubject(
        topicName,
        groupName,
        'topic' in owner ? restoreGroupMemory(memory, now) : restoreTopicMemory(memory, now),
      ),
    );
    this.#subjects.set(owner, of);
    return { of, owner };
  }

  /** Evaluates all rules once. */
  async evaluate(): Promise<void> {
    const { broker, figures, rest } = this.#host;
    this.#round++;
    this.#omittedNow = this.#searchedMs = 0;
    this.#server.memory.look(broker.clock.monotonic());
    const now = this.#now();
    for (const reading of readServer(figures(), this.#server.memory))
      this.#judge(this.#server, null, reading, now);
    for (const topic of broker.topics.values()) {
      if (!this.#quiet.has(topic)) await this.#evaluateAll(topic);
      await rest();
      if (this.#isStopped) return;
    }
    // Of topics and groups that were deleted.
    for (const held of this.#held) if (held.round !== this.#round) this.#end(held);
    this.#omitted = this.#omittedNow;
    this.#evaluatedMs = broker.clock.now();
    this.#host.onEvaluated?.();
  }

  /** A topic with its groups. */
  async #evaluateAll(topic: Topic): Promise<void> {
    const { rest, shedder } = this.#host;
    const subject = this.#evaluateTopic(topic);
    let isQuiet = shedder?.isIdle ?? true;
    for (const group of topic.groups.values()) {
      await this.#evaluateGroup(group);
      isQuiet &&= this.#isQuiet(group);
      await rest();
      if (this.#isStopped) return;
    }
    if (!subject) return;
    await this.#shed(topic, subject);
    const { letters } = subject.memory;
    this.#quiet.note(topic, isQuiet && letters === undefined && !hasAlarms(subject));
  }

  /** Whether nothing of the group can become an alarm while nothing happens in it. */
  #isQuiet(group: Group): boolean {
    const { lag, inFlight } = group.info();
    return lag + inFlight === 0 && !hasAlarms(this.#subjects.get(group));
  }

  #evaluateTopic(topic: Topic): Subject<TopicMemory> | undefined {
    if (topic.isDeleted) return undefined;
    const subject = this.#subjectOf<TopicMemory>(topic, () => newSubject(topic.name, null, newTopicMemory()));
    const isOn = (rule: RuleName): boolean => this.#limitsOf(subject, rule) !== null;
    const quietMs = this.#limitsOf(subject, 'dead-letters')?.clearMs ?? 0;
    const now = this.#now();
    const readings = readTopic(topic, subject.memory, now, isOn, { broker: this.#host.broker, quietMs });
    for (const reading of readings) this.#judge(subject, topic, reading, now);
    if (subject.alarms || subject.memory.deadLettered > 0) this.#subjects.set(topic, subject);
    return subject;
  }

  async #shed(topic: Topic, subject: Subject<TopicMemory>): Promise<void> {
    if (!this.#host.shedder) return;
    const now = this.#now();
    for (const reading of await this.#host.shedder.evaluate(topic, now))
      this.#judge(subject, topic, reading, now);
    if (subject.alarms) this.#subjects.set(topic, subject);
  }

  async #evaluateGroup(group: Group): Promise<void> {
    if (group.isClosed) return;
    const subject = this.#subjectOf<GroupMemory>(group, () =>
      newSubject(group.topic.name, group.name, newGroupMemory(this.#host.broker.clock.monotonic())),
    );
    const isOn = (rule: RuleName): boolean => this.#limitsOf(subject, rule) !== null;
    const now = this.#now();
    const readings = await readGroup(group, subject.memory, now, isOn, (group) => this.#oldestAgeMs(group));
    if (readings.length > 0) this.#subjects.set(group, subject);
    for (const reading of readings) this.#judge(subject, group, reading, now);
  }

  async #oldestAgeMs(group: Group): Promise<number | undefined> {
    // Without a filter the oldest message is found at once.
    if (group.config.filters.length === 0) return group.oldestAgeMs();
    const startMs = performance.now();
    const isSpent = this.#searchedMs >= searchesMs;
    const ageMs = await group.oldestAgeMs(isSpent ? AbortSignal.abort() : AbortSignal.timeout(searchMs));
    this.#searchedMs += performance.now() - startMs;
    return ageMs;
  }

  #judge(subject: Subject<unknown>, owner: Topic | Group | null, reading: Reading, now: Now): void {
    const given = this.#limitsOf(subject, reading.rule);
    if (!given) return;
    const limits = reading.clearsAtOnce ? { ...given, clearMs: 0 } : given;
    const rule: Rule = rules[reading.rule];
    let held = subject.alarms?.get(reading.rule);
    if (!held) {
      if (levelAt(reading.value, rule, limits) === undefined) return;
      if (this.#held.size >= this.#host.alarmsMax) {
        this.#omittedNow++;
        return;
      }
      held = this.#hold(subject, reading.rule, owner);
    }
    held.round = this.#round;
    const change = held.state.judge(reading.value, rule, limits, now);
    const { state, level, sinceMs } = held.state;
    if (state === 'ok') return this.#end(held, now);
    held.alarm = {
      rule: reading.rule,
      topic: subject.topic,
      group: subject.group,
      state,
      level,
      sinceMs,
      value: reading.value ?? 0,
      threshold: limits[level] ?? 0,
      unit: rule.unit,
      ...reading.tell(),
    };
    if (change) this.#tell({ change, alarm: held.alarm, atMs: now.wallMs });
  }

  /** A new alarm of a subject. */
  #hold(subject: Subject<unknown>, rule: RuleName, owner: Topic | Group | null): Held {
    const alarms = (subject.alarms ??= new Map());
    const end = (): void => void alarms.delete(rule);
    const held = { owner, state: new AlarmState(), end, round: this.#round, alarm: undefined! };
    alarms.set(rule, held);
    this.#held.add(held);
    return held;
  }

  /** The alarm is over, or its topic or group is gone. A pending one was never told. */
  #end(held: Held, now: Now = this.#now()): void {
    this.#held.delete(held);
    held.end();
    if (held.alarm.state === 'firing')
      this.#tell({ change: 'resolved', alarm: held.alarm, atMs: now.wallMs });
  }

  #tell(change: AlarmChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #limitsOf(subject: Subject<unknown>, rule: RuleName): RuleLimits | null {
    const { policy } = this.#host;
    if (policy.isUniform) return policy.limitsOf(rule, null, null) ?? null;
    const limits = (subject.limits ??= new Map());
    const known = limits.get(rule);
    if (known !== undefined) return known;
    const found = policy.limitsOf(rule, subject.topic, subject.group) ?? null;
    limits.set(rule, found);
    return found;
  }

  /** A new one is kept by the caller once there is something to remember. */
  #subjectOf<M>(of: Topic | Group, make: () => Subject<M>): Subject<M> {
    return (this.#subjects.get(of) as Subject<M> | undefined) ?? make();
  }

  #now(): Now {
    const { clock } = this.#host.broker;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }
}

function newSubject<M>(topic: string | null, group: string | null, memory: M): Subject<M> {
  return { topic, group, memory, limits: undefined, alarms: undefined };
}

function hasAlarms(subject: Subject<unknown> | undefined): boolean {
  return subject?.alarms !== undefined && subject.alarms.size > 0;
}

function seriousness({ state, level }: Alarm): number {
  return (state === 'firing' ? 2 : 0) + (level === 'critical' ? 1 : 0);
}
