import type { GroupOptions, GroupStart, TopicOptions } from '../../src/broker/index.ts';
import { overAmqp } from './amqp-script.ts';
import { withJumps } from './clock-script.ts';
import { overKafka } from './kafka-script.ts';
import { overNats } from './nats-script.ts';
import { withLater, type LaterAction } from './later-script.ts';
import { withPriorities } from './priority-script.ts';
import { Choices } from './random-choice.ts';
import type { Action, LogLimits, Operation, PlannedMessage, QueueAction, Script } from './script.ts';
import { queueAction } from './queue-script.ts';
import { overSqs } from './sqs-script.ts';
import { withTakeovers } from './takeover-script.ts';
import { withUniqueKeys } from './unique-script.ts';

/**
 * The script of a seed. Each seed likes some operations more than others, so that some runs are all crashes
 * and some all dead letters.
 */
export function generate(seed: number): Script {
  const script = overDoor(seed, new Generator(seed).script());
  if (seed % 14 === 3) return withJumps(script);
  return seed % 7 === 5 ? withTakeovers(script) : script;
}

/** Its clients reach the broker as the seed says. */
function overDoor(seed: number, script: Script): Script {
  if (seed % 16 === 4 || seed % 16 === 10) return overAmqp(script);
  if (seed % 16 === 6) return overSqs(script);
  if (seed % 4 === 0) return overNats(script);
  if (seed % 4 === 2) return overKafka(script);
  if (seed % 4 === 1) return withLater(script);
  return seed % 8 === 3 ? withUniqueKeys(script) : withPriorities(script);
}

const topicNames = ['orders', 'jobs', 'events'];
const letterNames = ['letters', 'orders-letters'];
const groupNames = ['a', 'b', 'c'];
const keys = ['k.1', 'k.2', 'k.3', 'k.2.x', 'j.1'];
const filters = ['k.1', 'k.2', 'k.*', 'k.>', '*.1', 'j.1', '>'];

type Kind = Exclude<
  Action['kind'],
  'kafka' | 'amqp' | 'sqs' | 'set-clock' | QueueAction['kind'] | LaterAction['kind']
>;

const usual: { readonly [K in Kind]: number } = {
  'create-topic': 3,
  'update-topic': 1.5,
  'delete-topic': 0.7,
  'create-group': 4,
  'update-group': 1.5,
  'delete-group': 0.7,
  'reset-group': 0.7,
  'pause-group': 0.7,
  'resume-group': 0.7,
  attach: 7,
  detach: 1.5,
  publish: 26,
  answer: 30,
  redrive: 2,
  purge: 1,
  remove: 1.5,
  wait: 10,
  checkpoint: 3,
  compact: 2,
  stop: 1,
  crash: 2,
  fault: 0.5,
};

class Generator {
  readonly #seed: number;
  readonly #c: Choices;
  readonly #weights: { [K in Kind]: number };
  #lastId = 0;
  #turn = 0;
  readonly #groups = new Set<string>();
  readonly #dedupeIds: string[] = [];
  readonly #firstGroups: { topic: string; group: string }[] = [];
  /** Its clients use the broker's own calls: so many of a hundred operations are those for queues. */
  readonly #queueShare: number;
  /** In lives with times to live. A source of its own, so that the rest of each seed stays the same. */
  readonly #expiry: Choices | undefined;
  /** Rates, concurrency and limits of keys, likewise. */
  readonly #limits: Choices;

  constructor(seed: number) {
    this.#seed = seed;
    this.#c = new Choices(seed);
    this.#limits = new Choices(seed + 0x6c696d69);
    this.#weights = { ...usual };
    for (const kind of Object.keys(usual) as Kind[]) {
      if (kind === 'publish') continue;
      if (this.#c.percent(12)) this.#weights[kind] = 0;
      else if (this.#c.percent(15)) this.#weights[kind] *= 4;
    }
    const expiry = new Choices(seed ^ 0x7e71);
    this.#expiry = seed % 2 === 1 && expiry.percent(50) ? expiry : undefined;
    this.#queueShare = seed % 2 === 1 && this.#c.percent(70) ? this.#c.of([15, 30, 50]) : 0;
  }

  script(): Script {
    const c = this.#c;
    const operations: Operation[] = [];
    const add = (action: Action): void => void operations.push(this.#step(action));
    const log = this.#log();
    const topics = c.between(1, 3);
    for (let at = 0; at < topics; at++) add({ kind: 'create-topic', options: this.#topic(topicNames[at]!) });
    for (let left = c.between(1, 4); left > 0; left--) {
      const group = this.#group();
      add({ kind: 'create-group', topic: group.topic, options: group.options });
      add({ kind: 'attach', topic: group.topic, group: group.options.name, credit: this.#credit() });
      this.#firstGroups.push({ topic: group.topic, group: group.options.name });
    }
    const actions = c.between(60, 140);
    const sceneAt = c.percent(25) ? c.between(0, actions) : -1;
    for (let at = 0; at < actions; at++) {
      add(this.#action());
      if (at === sceneAt) operations.push(...this.#checkpointUnderLoad());
    }
    return { seed: this.#seed, log, operations };
  }

  /** Mostly the machine gets a little further; sometimes nothing happens in between, sometimes everything. */
  #step(action: Action): Operation {
    const c = this.#c;
    const steps = c.percent(25) ? 0 : c.percent(25) ? -1 : c.between(1, c.percent(50) ? 6 : 40);
    return {
      ...action,
      turn: this.#seed * 1000 + this.#turn++,
      steps,
      ...(c.percent(40) ? { sync: true } : {}),
    };
  }

  /**
   * The journal moves on to other files while a checkpoint is being made, and once more behind it; then the
   * process dies.
   */
  #checkpointUnderLoad(): Operation[] {
    const c = this.#c;
    const topic = c.of(topicNames);
    const publish = (steps: number): Operation => {
      const message = { id: ++this.#lastId, key: c.of(keys), bytes: c.between(2000, 5000) };
      return { ...this.#step({ kind: 'publish', topic, messages: [message] }), steps };
    };
    return [
      { ...this.#step({ kind: 'checkpoint' }), steps: c.between(3, 15) },
      ...[1, 2, 3, 4].map(() => publish(c.between(3, 15))),
      ...[1, 2, 3, 4].map(() => publish(-1)),
      this.#step({ kind: 'crash', power: c.percent(50), downMs: 1, again: [], look: true }),
    ];
  }

  #log(): LogLimits {
    const c = this.#c;
    return {
      journalFileBytes: c.of([8, 16, 32, 64]) * 1024,
      checkpointBytes: c.of([16, 32, 64, 256]) * 1024,
      segmentBytesMax: c.of([512, 1024, 4096, 16384]),
      indexIntervalBytes: c.of([64, 256, 1024]),
      batchBytesMax: c.of([256, 1024, 8192]),
      batchRecordsMax: c.of([1, 3, 20]),
      tailCacheBytesMax: c.of([0, 512, 4096, 65536]),
      readCacheBytesMax: c.of([512, 4096, 65536]),
      unflushedBytesMax: c.of([512, 4096, 32768]),
      commitBytesMax: c.of([1024, 65536]),
      openFilesMax: c.of([2, 4, 64]),
    };
  }

  #action(): Action {
    const c = this.#c;
    // No draw for the others, so that their seeds stay the same.
    if (this.#queueShare > 0 && c.percent(this.#queueShare))
      return queueAction(c, {
        anyGroup: () => this.#busyGroup(),
        topic: (name) => this.#topic(name),
        group: () => this.#group().options,
        knowGroup: (topic, name) => void this.#groups.add(`${topic}/${name}`),
        message: () => this.#message(),
        nextId: () => ++this.#lastId,
      });
    const kind = c.weighted(this.#weights);
    switch (kind) {
      case 'create-topic':
        return { kind, options: this.#topic(c.percent(10) ? c.of(letterNames) : c.of(topicNames)) };
      case 'update-topic':
        return { kind, topic: c.of(topicNames), change: this.#topicChange() };
      case 'delete-topic':
        return { kind, topic: this.#anyTopic() };
      case 'create-group': {
        const { topic, options } = this.#group();
        return { kind, topic, options };
      }
      case 'update-group':
        return { kind, ...this.#anyGroup(), change: this.#groupChange() };
      case 'delete-group':
      case 'resume-group':
      case 'detach':
        return { kind, ...this.#anyGroup() };
      case 'reset-group':
        return { kind, ...this.#anyGroup(), start: this.#start() };
      case 'pause-group':
        return { kind, ...this.#anyGroup(), ...(c.percent(50) ? { forMs: c.between(1, 500) } : {}) };
      case 'attach':
        return { kind, ...this.#anyGroup(), credit: this.#credit() };
      case 'publish':
        return this.#publish();
      case 'answer':
        return this.#answer();
      case 'redrive':
        return { kind, topic: c.of(letterNames), ...(c.percent(40) ? { limit: c.between(1, 3) } : {}) };
      case 'purge':
        return this.#purge();
      case 'remove':
        return { kind, topic: this.#anyTopic(), partition: c.between(0, 2), pick: c.random.next() };
      case 'wait':
        return { kind, ms: c.of([1, 5, 20, 50, 200, 1000, c.percent(30) ? 30_000 : 100]) };
      case 'checkpoint':
      case 'compact':
        return { kind };
      case 'stop':
        return { kind, downMs: c.of([1, 100, 2000]), look: c.percent(60) };
      case 'crash':
        return {
          kind,
          power: c.percent(65),
          downMs: c.of([1, 100, 2000]),
          again: Array.from({ length: c.percent(30) ? c.between(1, 3) : 0 }, () => c.between(1, 60)),
          look: c.percent(60),
        };
      case 'fault':
        return this.#fault();
      default:
        return kind satisfies never;
    }
  }

  // ---- topics and groups

  #topic(name: string): TopicOptions {
    const c = this.#c;
    return {
      name,
      partitions: c.percent(80) ? 1 : c.between(2, 3),
      durability: c.percent(92) ? 'disk' : 'memory',
      retention: c.of(['limits', 'limits', 'queue', 'queue', 'interest'] as const),
      ...(c.percent(25) ? { messagesMax: c.between(2, 25) } : {}),
      ...(c.percent(12) ? { bytesMax: c.between(300, 6000) } : {}),
      ...(c.percent(15) ? { ageMsMax: c.of([50, 500, 5000, 60_000]) } : {}),
      ...(c.percent(15) ? { messagesPerKeyMax: c.between(1, 4) } : {}),
      ...(c.percent(5) ? { messageBytesMax: c.between(50, 300) } : {}),
      overflow: c.of(['drop-oldest', 'drop-oldest', 'reject', 'wait'] as const),
      overflowPerKey: c.of(['drop-oldest', 'reject'] as const),
      dedupeWindowMs: c.of([0, 100, 2000, 120_000]),
      ...(c.percent(10) ? { dedupeEntriesMax: c.between(1, 5) } : {}),
      ...(c.percent(50) ? { keyState: true } : {}),
      ...(c.percent(10) ? { compaction: true, keyState: true } : {}),
    };
  }

  #topicChange(): Extract<Action, { kind: 'update-topic' }>['change'] {
    const c = this.#c;
    return c.of([
      { messagesMax: c.between(1, 20) },
      { ageMsMax: c.of([50, 1000, 60_000]) },
      { sealed: c.percent(50) },
      { dedupeWindowMs: c.of([0, 100, 120_000]) },
      { overflow: c.of(['drop-oldest', 'reject'] as const) },
      { partitions: c.between(1, 3) },
      { bytesMax: c.between(500, 5000) },
    ]);
  }

  #group(): { topic: string; options: GroupOptions } {
    const c = this.#c;
    const topic = c.percent(10) ? c.of(letterNames) : c.of(topicNames);
    const name = c.of(groupNames);
    this.#groups.add(`${topic}/${name}`);
    const mayDie = c.percent(60);
    return {
      topic,
      options: {
        name,
        durable: c.percent(90),
        start: this.#start(),
        ack: c.of(['explicit', 'explicit', 'explicit', 'all', 'none'] as const),
        ackWaitMs: c.of([10, 100, 1000, 30_000]),
        ...(c.percent(30) ? { filters: [...new Set([c.of(filters), c.of(filters)])] } : {}),
        ...(c.percent(40) ? { backoffMs: c.of([[5], [5, 50], [20, 200, 1000]]) } : {}),
        ...(c.percent(10) ? { backoffMeans: 'deadline' as const, backoffMs: [10, 100] } : {}),
        ...(c.percent(20) ? { backoffJitter: 0.5 } : {}),
        ...(mayDie ? { maxDeliver: c.between(1, 4) } : {}),
        ...(mayDie && c.percent(80) ? { deadLetter: c.of(letterNames) } : this.#limitOfAge()),
        ...(c.percent(30) ? { maxInFlight: c.between(1, 5) } : {}),
        ...(c.percent(25) ? { ordering: 'key', ...this.#keyLimits() } : {}),
        ...(this.#limits.percent(10) ? { rate: this.#rate() } : {}),
        ...(this.#limits.percent(12) ? { concurrency: this.#limits.between(1, 6) } : {}),
        ...(c.percent(4) ? { inactiveMs: c.of([50, 5000]) } : {}),
      },
    };
  }

  /** Only for groups without dead letters: those of old messages were never delivered. */
  #limitOfAge(): Partial<GroupOptions> {
    return this.#expiry?.maybe(15, () => ({ messageTtlMs: this.#expiry!.of([20, 200, 5000]) })) ?? {};
  }

  #keyLimits(): Partial<GroupOptions> {
    const c = this.#limits;
    return {
      ...c.of([
        {},
        { keyRunMax: c.between(2, 4) },
        { keyRunMax: c.between(2, 4), keysPerConsumerMax: c.between(1, 2) },
        { keyConcurrency: c.between(2, 3) },
      ]),
      ...(c.percent(15) ? { keyRate: this.#rate() } : {}),
      ...(c.percent(20) ? { heldMax: c.between(1, 5) } : {}),
    };
  }

  #rate(): { perSecond: number; burst: number } {
    return { perSecond: this.#limits.of([20, 100, 500]), burst: this.#limits.between(1, 5) };
  }

  #groupChange(): Partial<GroupOptions> {
    const c = this.#c;
    return c.of([
      { maxDeliver: c.between(1, 4) },
      { ackWaitMs: c.of([10, 100, 1000]) },
      { maxInFlight: c.between(1, 5) },
      { rate: this.#rate() },
      { concurrency: c.between(1, 6) },
      { backoffMs: [c.between(1, 100)] },
      { filters: [c.of(filters)] },
    ]);
  }

  #start(): GroupStart {
    const c = this.#c;
    const kind = c.weighted({ all: 6, new: 1.5, last: 0.5, 'last-per-key': 1, offset: 0.5, time: 0.5 });
    if (kind === 'offset') return { kind, offset: c.between(0, 20) };
    if (kind === 'time') return { kind, timestampMs: startTimeMs + c.between(0, 5000) };
    return { kind };
  }

  #credit(): number {
    return this.#c.of([1, 2, 5, 20, 1000]);
  }

  #anyTopic(): string {
    return this.#c.percent(15) ? this.#c.of(letterNames) : this.#c.of(topicNames);
  }

  /** Most queue operations use the first groups. */
  #busyGroup(): { topic: string; group: string } {
    return this.#c.percent(75) ? this.#c.of(this.#firstGroups) : this.#anyGroup();
  }

  #anyGroup(): { topic: string; group: string } {
    const known = [...this.#groups];
    const [topic, group] = this.#c.of(known.length > 0 ? known : ['orders/a']).split('/');
    return { topic: topic!, group: group! };
  }

  // ---- messages

  #publish(): Action {
    const c = this.#c;
    const count = c.percent(60) ? 1 : c.between(2, c.percent(20) ? 40 : 8);
    return {
      kind: 'publish',
      topic: c.percent(4) ? c.of(letterNames) : c.of(topicNames),
      messages: Array.from({ length: count }, () => this.#message()),
    };
  }

  #message(): PlannedMessage {
    const c = this.#c;
    return {
      id: ++this.#lastId,
      key: c.percent(15) ? null : c.of(keys),
      bytes: c.percent(3) ? c.between(1000, 6000) : c.between(0, 120),
      ...(c.percent(8) ? { partition: c.between(0, 2) } : {}),
      ...(c.percent(20) ? { dedupeId: this.#dedupeId() } : {}),
      ...(c.percent(8) ? { delayMs: c.of([5, 50, 500, 5000, 40_000]) } : {}),
      ...(c.percent(6)
        ? {
            expect: c.of([
              'last-offset',
              'wrong-last-offset',
              'last-key-offset',
              'wrong-last-key-offset',
            ] as const),
          }
        : {}),
      ...(c.percent(1) ? { rollup: c.of(['topic', 'key'] as const) } : {}),
      ...this.#expiry?.maybe(30, () => ({ ttlMs: this.#expiry!.of([5, 50, 500, 2000, 30_000]) })),
    };
  }

  #dedupeId(): string {
    const c = this.#c;
    if (this.#dedupeIds.length > 0 && c.percent(50)) return c.of(this.#dedupeIds.slice(-6));
    const id = `d${this.#dedupeIds.length}`;
    this.#dedupeIds.push(id);
    return id;
  }

  #answer(): Action {
    const c = this.#c;
    const answer = c.weighted({ ack: 10, 'ack-all': 2, nack: 5, extend: 1, reject: 1 });
    return {
      kind: 'answer',
      ...this.#anyGroup(),
      answer,
      pick: c.percent(50) ? 0 : c.random.next(),
      count: c.percent(60) ? 1 : c.between(2, 20),
      ...(answer === 'nack' && c.percent(30) ? { delayMs: c.of([0, 10, 500]) } : {}),
    };
  }

  #purge(): Action {
    const c = this.#c;
    return {
      kind: 'purge',
      topic: this.#anyTopic(),
      partition: c.between(0, 2),
      ...c.of([
        {},
        { pattern: c.of(filters) },
        { keep: c.between(0, 4) },
        { before: c.random.next() },
        { pattern: c.of(filters), keep: c.between(0, 2) },
      ]),
    };
  }

  #fault(): Action {
    const c = this.#c;
    const code = c.of(['EIO', 'EIO', 'ENOSPC', 'EMFILE'] as const);
    return {
      kind: 'fault',
      call: code === 'EMFILE' ? 'open' : c.of(['write', 'sync', 'read', 'open', 'any'] as const),
      code,
      after: c.percent(60) ? c.between(0, 3) : c.between(0, 60),
      count: c.percent(70) ? 1 : c.between(2, 10),
    };
  }
}

/** When simulated time begins, by the wall clock. */
export const startTimeMs = 1_700_000_000_000;
