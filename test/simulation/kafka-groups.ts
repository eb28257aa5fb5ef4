import type { Broker, Group, Topic } from '../../src/broker/index.ts';
import { GroupWatch } from './group-watch.ts';
import type { History } from './history.ts';
import { KafkaMember } from './kafka-members.ts';
import { KafkaProducer, ProducersKnown } from './kafka-producer.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaRun } from './kafka-run.ts';
import { memberNames, type KafkaStep } from './kafka-script.ts';
import { KafkaShareMember } from './kafka-share-members.ts';
import { KafkaTransactionalProducer } from './kafka-transactional-producer.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import type { Action, PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** Members that one share group has on one topic. */
const shareMembersMax = 3;

/**
 * Topics and groups as Kafka clients use them. They remember their unfinished requests, and continue when the
 * broker is up again.
 */
export class KafkaGroups {
  readonly #history: History;
  readonly #clock: SimulatedClock;
  readonly #plans: ReadonlyMap<number, PlannedMessage>;
  readonly #seed: number;
  readonly #known = new ProducersKnown();
  readonly #transactional: ReadonlyMap<string, KafkaTransactionalProducer> = new Map([
    ['t1', new KafkaTransactionalProducer('t1', 30_000, true, this.#known)],
    ['t2', new KafkaTransactionalProducer('t2', 500, false, this.#known)],
  ]);
  readonly #producers: ReadonlyMap<string, KafkaProducer | KafkaTransactionalProducer> = new Map<
    string,
    KafkaProducer | KafkaTransactionalProducer
  >([
    ['plain', new KafkaProducer('plain', false, this.#known)],
    ['p1', new KafkaProducer('p1', true, this.#known)],
    ['p2', new KafkaProducer('p2', true, this.#known)],
    ...this.#transactional,
  ]);
  readonly #reader = new KafkaReader();
  readonly #members: ReadonlyMap<string, KafkaMember> = new Map(
    memberNames.map((name) => [name, new KafkaMember(name, name.startsWith('k3'))]),
  );
  #run!: KafkaRun;
  #watch!: GroupWatch;
  /** By broker group. They live as long as the broker. */
  readonly #shareMembers = new Map<string, KafkaShareMember[]>();
  #lastShareMember = 0;
  #isDraining = false;
  /** The messages published by the current operation. */
  readonly #publishing: {
    readonly topic: Topic;
    readonly partition: number;
    readonly plan: PlannedMessage;
  }[] = [];

  constructor(
    history: History,
    clock: SimulatedClock,
    plans: ReadonlyMap<number, PlannedMessage>,
    seed: number,
  ) {
    this.#history = history;
    this.#clock = clock;
    this.#plans = plans;
    this.#seed = seed;
  }

  /** The broker is up, for the first time or again. */
  connect(broker: Broker): void {
    const run = new KafkaRun({
      broker,
      clock: this.#clock,
      history: this.#history,
      plans: this.#plans,
      seed: this.#seed,
    });
    this.#run = run;
    this.#watch = new GroupWatch(this.#history, this.#plans);
    this.#watch.all(broker);
    if (!this.#isDraining) this.#watch.expectAccepts();
    this.#shareMembers.clear();
    this.#reader.connect(run);
    for (const member of this.#members.values()) member.connect(run);
    for (const producer of this.#producers.values()) producer.connect(run);
  }

  /** The process is gone; nothing it says from now on is heard. */
  disconnect(): void {
    (this.#run as KafkaRun | undefined)?.end();
  }

  perform(step: KafkaStep): void {
    switch (step.kind) {
      case 'fetch':
        return this.#reader.fetch(step);
      case 'reconnect':
        return (this.#producers.get(step.who) ?? this.#members.get(step.who) ?? this.#reader).reconnect();
      case 'end':
        return this.#transactional.get(step.producer)!.end(step.outcome);
      case 'restart':
        return this.#transactional.get(step.producer)!.restart();
      case 'commit-within':
        return this.#transactional
          .get(step.producer)!
          .commitOffset(step.group, step.topic, step.partition, step.pick);
      default:
        return this.#members.get(step.member)!.perform(step);
    }
  }

  // ---- share groups

  watch(group: Group): void {
    this.#watch.one(group);
  }

  /** A member asks for records, one of those that do not wait for any; or a new one. */
  pull(group: Group, count: number): void {
    const members = this.#membersOf(group);
    let member = members.find(({ isFetching }) => !isFetching);
    if (!member) {
      if (members.length >= shareMembersMax) return;
      members.push(
        (member = new KafkaShareMember(this.#run, group, this.#watch, `s${++this.#lastShareMember}`)),
      );
      if (this.#isDraining) member.drain();
    }
    member.heartbeat();
    member.fetch(count);
  }

  leave(group: Group): void {
    this.#membersOf(group)[0]?.leave();
  }

  answer(group: Group, action: Extract<Action, { kind: 'answer' }>): void {
    let left = action.count;
    for (const member of this.#membersOf(group)) left -= member.answer({ ...action, count: left });
  }

  #membersOf(group: Group): KafkaShareMember[] {
    const key = groupKeyOf(group);
    const members = (this.#shareMembers.get(key) ?? []).filter(({ isGone }) => !isGone);
    this.#shareMembers.set(key, members);
    return members;
  }

  // ---- publishing

  /** The transaction that the message is going to be part of. */
  transactionOf({ producer = '' }: PlannedMessage): number | undefined {
    return this.#transactional.get(producer)?.transaction;
  }

  /** The client chooses the partition. */
  publish(topic: Topic, plan: PlannedMessage): void {
    const partition = (plan.partition ?? plan.key?.length ?? plan.id) % topic.partitions.length;
    this.#publishing.push({ topic, partition, plan });
  }

  /** Sends the messages for one partition as one batch, or as several. */
  flush(): void {
    const byPlace = new Map<string, { readonly topic: Topic; partition: number; plans: PlannedMessage[] }>();
    for (const { topic, partition, plan } of this.#publishing.splice(0)) {
      const where = `${plan.producer}/${partition}`;
      const plans = byPlace.get(where)?.plans ?? [];
      plans.push(plan);
      byPlace.set(where, { topic, partition, plans });
    }
    for (const { topic, partition, plans } of byPlace.values()) {
      while (plans.length > 0) {
        const batch = plans.splice(0, 1 + this.#run.random.int(plans.length * 2));
        this.#producerOf(batch[0]!).publish(topic.name, keyOf(topic), partition, batch);
      }
    }
    for (const producer of this.#producers.values()) producer.goOn();
  }

  #producerOf({ producer = 'plain' }: PlannedMessage): KafkaProducer | KafkaTransactionalProducer {
    return this.#producers.get(producer)!;
  }

  /** Brings everything in progress to its end. */
  drain(): void {
    this.#isDraining = true;
    this.#watch.acceptAll();
    for (const members of this.#shareMembers.values()) for (const member of members) member.drain();
    for (const producer of this.#transactional.values()) producer.drain();
    for (const producer of this.#producers.values()) producer.goOn();
  }
}
