import {
  recordOf,
  type Broker,
  type Consumer,
  type Delivery,
  type Group,
  type PostponeScope,
  type PublishListener,
  type Receipt,
  type Topic,
} from '../../src/broker/index.ts';
import { AmqpClients } from './amqp-clients.ts';
import { codeOf } from './error-code.ts';
import { Pulls } from './pulls.ts';
import { Receipts, type KeptReceipt } from './receipts.ts';
import { publishToAll } from './several-topics.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { SqsClients } from './sqs-clients.ts';
import { contentOf, sight } from './message.ts';
import type { FactOf, History } from './history.ts';
import { Later } from './later.ts';
import { KafkaGroups } from './kafka-groups.ts';
import { NatsGroups } from './nats-groups.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import type { Action, Answer, Operation, PlannedMessage, Script, Settlement } from './script.ts';

/**
 * The client stands for all users of the broker: it performs the script, and writes its requests and their
 * answers into the history.
 */
export class Client {
  readonly #history: History;
  readonly #clock: SimulatedClock;
  readonly #plans: ReadonlyMap<number, PlannedMessage>;
  #broker!: Broker;
  readonly #consumers = new Map<string, SimulatedConsumer[]>();
  readonly #unanswered = new Map<string, Unanswered[]>();
  readonly #receipts = new Receipts();
  readonly #pulls: Pulls;
  /** Consumers and pulls so far, in all runs. */
  #takers = 0;
  #creating = false;
  readonly #noted = new WeakSet<Group>();
  /** Answers every delivery at once with an ack. */
  #draining = false;
  /** The broker as NATS clients use it; undefined if all clients use the broker's own calls. */
  #nats: NatsGroups | undefined;
  readonly #speaksNats: boolean;
  /** The broker as Kafka clients use it; they go on after a restart. */
  readonly #kafka: KafkaGroups | undefined;
  /** The same for AMQP. */
  readonly #amqp: AmqpClients | undefined;
  /** The same for SQS, whose clients alone are heard then. */
  readonly #sqs: SqsClients | undefined;
  readonly #later: Later;
  /** The topics of messages that are published with a delay. */
  readonly #delayedTo = new Map<number, string>();

  constructor(
    history: History,
    clock: SimulatedClock,
    plans: ReadonlyMap<number, PlannedMessage>,
    { door, seed }: Script,
  ) {
    this.#speaksNats = door === 'nats';
    if (door === 'kafka') this.#kafka = new KafkaGroups(history, clock, plans, seed);
    if (door === 'amqp') this.#amqp = new AmqpClients(history, clock, plans, seed, () => ++this.#takers);
    if (door === 'sqs') this.#sqs = new SqsClients(history, clock, seed);
    this.#history = history;
    this.#pulls = new Pulls(history, clock);
    this.#clock = clock;
    this.#plans = plans;
    this.#later = new Later({ history, clock, await: (promise, of) => this.#await(promise, of) });
  }

  /** The broker is up, for the first time or again: consumers come back as the script attaches them. */
  connect(broker: Broker): void {
    this.#broker = broker;
    this.#consumers.clear();
    this.#unanswered.clear();
    this.#receipts.connect(broker);
    this.#pulls.connect();
    this.#later.connect(broker);
    if (this.#speaksNats) this.#nats = new NatsGroups(broker, this.#history, this.#clock, this.#plans);
    this.#kafka?.connect(broker);
    this.#amqp?.connect(broker);
    if (this.#sqs) return this.#sqs.connect(broker);
    broker.events.subscribe((event) => {
      if (event.kind === 'topic-created' && !this.#creating) {
        // For dead letters, when the first of them came.
        const { config } = event.topic;
        this.#amqp?.topicCreated(event.topic);
        this.#history.add({ kind: 'topic', topic: keyOf(event.topic), config });
      }
      if (event.kind === 'topic-deleted' && this.#amqp)
        this.#history.add({ kind: 'topic-deleted', topic: keyOf(event.topic) });
      if (event.kind === 'group-created') this.#noteCreated(event.group);
      if (event.kind === 'active-changed' && (!this.#door || this.#amqp)) {
        const { group, active, why } = event;
        const consumer = active?.label === undefined ? undefined : Number(active.label);
        this.#history.add({ kind: 'active', group: groupKeyOf(group), consumer, why });
      }
      if (event.kind === 'clock-jumped') this.#history.add({ kind: 'clock-jumped', byMs: event.byMs });
      if (event.kind !== 'dead-lettered') return;
      const { partition, offset, deliveries } = event;
      const group = groupKeyOf(event.group);
      this.#history.add({ kind: 'dead-lettered', group, partition, offset, deliveries });
    });
  }

  /** The process is gone; nothing it says from now on is heard. */
  disconnect(): void {
    this.#nats?.forget();
    this.#kafka?.disconnect();
    this.#amqp?.disconnect();
    this.#sqs?.disconnect();
  }

  get broker(): Broker {
    return this.#broker;
  }

  get plans(): ReadonlyMap<number, PlannedMessage> {
    return this.#plans;
  }

  /** The clients that speak a protocol; undefined if they use the broker's own calls. */
  get #door(): NatsGroups | KafkaGroups | AmqpClients | undefined {
    return this.#nats ?? this.#kafka ?? this.#amqp;
  }

  /** Starts an operation; its outcome comes later. */
  perform(operation: Operation): void {
    this.#act(operation);
    if (operation.sync) this.confirm();
  }

  /** Asks to hear when everything so far is on disk. */
  confirm(): void {
    const upTo = this.#history.events.length - 1;
    this.#broker.afterCommit(() => this.#history.add({ kind: 'durable', upTo }));
  }

  #act(action: Action): void {
    const broker = this.#broker;
    switch (action.kind) {
      case 'create-topic':
        return this.#createTopic(action);
      case 'create-group':
        return this.#createGroup(action);
      case 'checkpoint':
        return this.#await(broker.checkpoint(), this.#asked(action.kind));
      case 'compact':
        return this.#await(broker.compact(), this.#asked(action.kind));
      case 'kafka':
        return this.#kafka?.perform(action.step);
      case 'amqp':
        return this.#amqp?.perform(action.step, action.messages ?? []);
      case 'sqs':
        return this.#sqs?.perform(action.step);
      case 'define-queue':
        return this.#door ? undefined : this.#defineQueue(action);
      case 'delayed':
      case 'schedule':
      case 'control-schedule':
        return this.#door ? undefined : this.#later.perform(action);
      case 'publish-to-all':
        return this.#door ? undefined : publishToAll(broker, this.#history, this.#clock, action);
      case 'wait':
      case 'set-clock':
      case 'stop':
      case 'crash':
      case 'fault':
        return; // the machine's part
      default: {
        const topic = broker.topic(action.topic);
        if (topic) this.#actOnTopic(action, topic);
      }
    }
  }

  #actOnTopic(
    action: Exclude<
      Action,
      {
        kind:
          | 'create-topic'
          | 'create-group'
          | 'checkpoint'
          | 'compact'
          | 'kafka'
          | 'amqp'
          | 'sqs'
          | 'define-queue'
          | 'publish-to-all'
          | 'delayed'
          | 'schedule'
          | 'control-schedule'
          | 'wait'
          | 'set-clock'
          | 'stop'
          | 'crash'
          | 'fault';
      }
    >,
    topic: Topic,
  ): void {
    switch (action.kind) {
      case 'publish':
        for (const plan of action.messages) this.#publish(topic, plan);
        return this.#kafka?.flush();
      case 'update-topic':
        return this.#updateTopic(topic, action.change);
      case 'delete-topic': {
        // It could reach the next topic of these subjects, unnoticed.
        if (this.#nats?.isPublishing) return;
        const of = this.#history.add({ kind: 'topic-deleted', topic: keyOf(topic) });
        return this.#await(topic.delete(), of);
      }
      case 'redrive': {
        const of = this.#history.add({ kind: 'redrive', topic: keyOf(topic) });
        const { limit } = action;
        const redriven = this.#broker.redrive(topic, limit === undefined ? {} : { limit });
        return this.#await(
          redriven.then(({ moved }) => moved),
          of,
        );
      }
      case 'purge':
        return this.#purge(topic, action);
      case 'remove': {
        const partition = topic.partitions.at(action.partition % topic.partitions.length)!;
        const { index, firstOffset, nextOffset } = partition;
        const offset = firstOffset + Math.floor(action.pick * (nextOffset - firstOffset));
        if (!partition.isLive(offset)) return;
        const of = this.#history.add({ kind: 'remove', topic: keyOf(topic), partition: index, offset });
        return this.#await(partition.delete(offset), of);
      }
      default: {
        const group = topic.groups.get(action.group);
        if (group) this.#actOnGroup(action, topic, group);
      }
    }
  }

  #actOnGroup(action: Extract<Action, { readonly group: string }>, topic: Topic, group: Group): void {
    const key = groupKeyOf(group);
    const names = { topic: keyOf(topic), group: key };
    switch (action.kind) {
      case 'attach': {
        const pulling = this.#nats ?? this.#kafka;
        if (pulling) return pulling.pull(group, action.credit);
        return this.#attach(group, action);
      }
      case 'detach': {
        if (this.#kafka) return this.#kafka.leave(group);
        const consumer = this.#listOf(this.#consumers, key).shift();
        if (!consumer) return;
        if (action.held === 'release') this.#noteReleased(group, consumer);
        this.#history.add({ kind: 'detached', group: key, consumer: consumer.number });
        if (action.held !== 'release') return group.detach(consumer);
        return group.detach(consumer, { held: 'release' });
      }
      case 'release': {
        const [consumer] = this.#listOf(this.#consumers, key);
        if (!consumer) return;
        const partition =
          action.partition === undefined ? undefined : action.partition % topic.partitions.length;
        consumer.credit += this.#noteReleased(group, consumer, partition);
        return group.release(consumer, partition);
      }
      case 'settle':
        return this.#door ? undefined : this.#settle(group, action);
      case 'pull': {
        if (this.#door) return;
        const taker = { number: ++this.#takers, credit: 0, priority: action.options.priority };
        return this.#pulls.start(group, taker.number, action.options, (delivery, ackWaitMs) =>
          this.#delivered(group, taker, delivery, ackWaitMs),
        );
      }
      case 'hold-pull':
        return this.#pulls.hold(group, action.isHeld);
      case 'answer': {
        const answering = this.#nats ?? this.#kafka;
        return answering ? answering.answer(group, action) : this.#answer(group, action);
      }
      case 'update-group': {
        const { activeSilenceMs, ...others } = { ...group.config, ...action.change };
        const config =
          activeSilenceMs === undefined || others.activeConsumers !== 'single'
            ? others
            : { ...others, activeSilenceMs };
        const of = this.#history.add({ kind: 'group', ...names, config, isNew: false });
        return this.#await(group.update(config), of);
      }
      case 'delete-group':
        return this.#await(group.delete(), this.#history.add({ kind: 'group-deleted', ...names }));
      case 'reset-group': {
        const of = this.#history.add({ kind: 'group-reset', ...names, start: action.start });
        this.#unanswered.delete(key);
        return this.#await(group.reset(action.start), of);
      }
      case 'pause-group': {
        const untilMs = action.forMs === undefined ? undefined : this.#clock.now() + action.forMs;
        const of = this.#history.add({
          kind: 'paused',
          group: key,
          ...(untilMs === undefined ? {} : { untilMs }),
        });
        return this.#await(group.pause(untilMs), of);
      }
      case 'resume-group':
        return this.#await(group.resume(), this.#history.add({ kind: 'resumed', group: key }));
      default:
        return action satisfies never;
    }
  }

  // ---- topics and groups

  #createTopic({ options }: Extract<Action, { kind: 'create-topic' }>): void {
    const existed = this.#broker.topic(options.name);
    this.#creating = true;
    const created = this.#broker.createTopic(options);
    this.#creating = false;
    const topic = this.#broker.topic(options.name);
    if (!topic || topic === existed) return this.#await(created, this.#asked('create-topic'));
    const of = this.#history.add({ kind: 'topic', topic: keyOf(topic), config: topic.config });
    this.#await(created, of);
  }

  #defineQueue({ options, group: groupOptions }: Extract<Action, { kind: 'define-queue' }>): void {
    const existed = this.#broker.topic(options.name);
    this.#creating = true;
    const defined = this.#broker.defineQueue(options, groupOptions);
    this.#creating = false;
    const topic = this.#broker.topic(options.name);
    if (!topic || topic === existed) return this.#await(defined, this.#asked('define-queue'));
    const of = this.#history.add({ kind: 'topic', topic: keyOf(topic), config: topic.config });
    this.#await(defined, of);
    for (const group of topic.groups.values()) {
      this.#await(defined, this.#noteGroup(group));
      this.#history.add({ kind: 'queue', topic: keyOf(topic), group: groupKeyOf(group) });
    }
  }

  #updateTopic(topic: Topic, change: Extract<Action, { kind: 'update-topic' }>['change']): void {
    const config = { ...topic.config, ...change };
    const of = this.#history.add({ kind: 'topic', topic: keyOf(topic), config });
    this.#await(topic.update(config), of);
  }

  #createGroup({ topic: name, options }: Extract<Action, { kind: 'create-group' }>): void {
    const topic = this.#broker.topic(name);
    if (!topic) return;
    const existed = topic.groups.get(options.name);
    const created = topic.createGroup(options);
    const group = topic.groups.get(options.name);
    if (group && group !== existed) this.#door?.watch(group);
    if (!group || group === existed) return this.#await(created, this.#asked('create-group'));
    this.#await(created, this.#noteGroup(group));
  }

  #noteGroup(group: Group): number {
    this.#noted.add(group);
    const { topic, config } = group;
    return this.#history.add({
      kind: 'group',
      topic: keyOf(topic),
      group: groupKeyOf(group),
      config,
      isNew: true,
    });
  }

  /** Kafka clients bring groups into being by using them. */
  #noteCreated(group: Group): void {
    if (this.#noted.has(group) || this.#creating) return;
    this.#door?.watch(group);
    const of = this.#noteGroup(group);
    if (this.#amqp) {
      this.#history.add({ kind: 'queue', topic: keyOf(group.topic), group: groupKeyOf(group) });
      this.#amqp.queueCreated(this.#broker.topic(group.topic.name)!);
    }
    this.#broker.afterCommit(() => this.#history.add({ kind: 'outcome', of }));
  }

  #purge(topic: Topic, { partition: at, pattern, keep, before }: Extract<Action, { kind: 'purge' }>): void {
    const partition = topic.partitions.at(at % topic.partitions.length)!;
    const { index, firstOffset, nextOffset } = partition;
    const options = {
      ...(pattern === undefined ? {} : { pattern }),
      ...(keep === undefined ? {} : { keep }),
      ...(before === undefined
        ? {}
        : { before: firstOffset + Math.floor(before * (nextOffset + 1 - firstOffset)) }),
    };
    const of = this.#history.add({ kind: 'purge', topic: keyOf(topic), partition: index, ...options });
    this.#await(partition.purge(options), of);
  }

  // ---- publishing

  readonly #listener: PublishListener<number> = {
    published: (id, partition, offset, duplicate) =>
      void this.#history.add({ kind: 'published', id, partition, offset, duplicate }),
    delayed: (id, partition, delayedId) => {
      this.#history.add({ kind: 'published', id, partition, offset: -1, duplicate: false });
      this.#later.noteDelayed(this.#delayedTo.get(id)!, id, delayedId);
    },
    unique: (id, { partition, offset, duplicate, outcome }) =>
      void this.#history.add({
        kind: 'published',
        id,
        partition,
        offset,
        duplicate,
        ...(outcome === undefined ? {} : { outcome }),
      }),
    refused: (id, error) => void this.#history.add({ kind: 'refused', id, code: codeOf(error) }),
  };

  #publish(topic: Topic, plan: PlannedMessage): void {
    const { partition, dedupeId, delayMs, ttlMs, unique, rollup, priority } = plan;
    const dueMs = delayMs === undefined ? undefined : this.#clock.steady() + delayMs;
    const { isGuess = false, ...expected } = this.#expectation(topic, plan);
    const transaction = this.#kafka?.transactionOf(plan);
    this.#history.add({
      kind: 'publish',
      topic: keyOf(topic),
      plan,
      ...(transaction === undefined ? {} : { transaction }),
      ...(dueMs === undefined ? {} : { dueMs }),
      ...expected,
      ...(isGuess ? { isGuess } : {}),
    });
    if (this.#nats) return this.#nats.publish(plan, expected);
    if (this.#kafka) return this.#kafka.publish(topic, plan);
    const options = {
      ...(partition === undefined ? {} : { partition: partition % topic.partitions.length }),
      ...(dedupeId === undefined ? {} : { dedupeId }),
      ...(delayMs === undefined ? {} : { deliverAtMs: this.#clock.now() + delayMs }),
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(rollup === undefined ? {} : { replaces: rollup }),
      ...(priority === undefined ? {} : { priority }),
      ...(unique === undefined ? {} : { unique }),
      ...expected,
    };
    if (dueMs !== undefined) this.#delayedTo.set(plan.id, topic.name);
    const isPlain = Object.keys(options).length === 0;
    topic.publish(recordOf(contentOf(plan)), isPlain ? undefined : options, this.#listener, plan.id);
  }

  #expectation(topic: Topic, { expect, key }: PlannedMessage): Expectation {
    const partition = topic.partitions.at(0)!;
    if (expect === undefined || topic.partitions.length > 1) return {};
    if (expect === 'last-offset') return { expectedLastOffset: partition.nextOffset - 1 };
    if (expect === 'wrong-last-offset') return { expectedLastOffset: partition.nextOffset + 2 };
    if (!partition.keyIndex || key === null) return {};
    const state = partition.keyIndex.get(key);
    // After a removal it may be that none is left, or an older one is the last again.
    const isUnknown = state !== undefined && !partition.isLive(state.last);
    const isGuess = isUnknown ? { isGuess: true } : {};
    if (expect === 'wrong-last-key-offset')
      return { expectedLastKeyOffset: (state?.last ?? 0) + 1_000_000, ...isGuess };
    if (isUnknown) return { expectedLastKeyOffset: -1, ...isGuess };
    return { expectedLastKeyOffset: state?.last ?? -1 };
  }

  // ---- consuming

  #attach(group: Group, options: ConsumerOptions): void {
    const { ackWaitMs, member, isExclusive = false } = options;
    const consumer: SimulatedConsumer = new SimulatedConsumer(++this.#takers, options, (delivery) =>
      this.#delivered(group, consumer, delivery, ackWaitMs),
    );
    const { number } = consumer;
    const key = groupKeyOf(group);
    this.#history.add({
      kind: 'attaching',
      group: key,
      consumer: number,
      member,
      isExclusive,
      isPull: false,
    });
    try {
      group.attach(consumer, { exclusive: isExclusive });
    } catch (error) {
      this.#history.add({ kind: 'attach-outcome', group: key, consumer: number, refused: codeOf(error) });
      return;
    }
    this.#history.add({ kind: 'attach-outcome', group: key, consumer: number });
    this.#listOf(this.#consumers, key).push(consumer);
  }

  /** A consumer of a higher priority that would take the message, too. */
  #passedOver(group: Group, priority: number): SimulatedConsumer | undefined {
    const { activeConsumers, keyRunMax, keysPerConsumerMax } = group.config;
    // Not every consumer of such a group may have every message.
    if (activeConsumers === 'single' || keyRunMax !== undefined || keysPerConsumerMax !== undefined)
      return undefined;
    const consumers = this.#consumers.get(groupKeyOf(group)) ?? [];
    return consumers.find((other) => (other.priority ?? 0) > priority && other.credit > 0);
  }

  #delivered(group: Group, consumer: Taker, delivery: Delivery, ackWaitMs?: number): void {
    const { record, partition, deliveries, bytes } = delivery;
    const seen = sight(record, partition, this.#plans, group.topic.name);
    const key = groupKeyOf(group);
    const passedOver = this.#passedOver(group, consumer.priority ?? 0)?.number;
    const of = this.#history.add({
      kind: 'delivered',
      topic: keyOf(group.topic),
      group: key,
      deliveries,
      seen,
      consumer: consumer.number,
      bytes,
      ...(ackWaitMs === undefined ? {} : { waitMs: ackWaitMs }),
      ...(passedOver === undefined ? {} : { passedOver }),
      ...(group.config.activeConsumers === 'single' ? { isSingle: true } : {}),
    });
    if (consumer.credit < 0)
      this.#history.add({ kind: 'problem', text: `group ${key} delivers beyond its consumer's credit` });
    const unanswered = { partition, offset: record.offset, consumer, of };
    if (group.config.ack === 'none') return;
    if (!this.#door) this.#receipts.keep(group, delivery, of, this.#history.run);
    if (this.#draining) queueMicrotask(() => this.#say(group, unanswered, 'ack', undefined));
    else this.#listOf(this.#unanswered, key).push(unanswered);
  }

  #answer(group: Group, action: Extract<Action, { kind: 'answer' }>): void {
    const list = this.#listOf(this.#unanswered, groupKeyOf(group));
    for (let left = action.count; left > 0 && list.length > 0; left--) {
      const at = Math.floor(action.pick * list.length);
      const unanswered = list[at]!;
      if (action.answer !== 'extend') list.splice(at, 1);
      this.#say(group, unanswered, action.answer, action.delayMs);
      if (action.answer === 'extend') return;
    }
  }

  #say(group: Group, { partition, offset, consumer }: Unanswered, answer: Answer, delayMs?: number): void {
    const took = {
      ack: () => group.ack(partition, offset),
      'ack-all': () => group.ackAll(partition, offset),
      nack: () => group.nack(partition, offset, delayMs),
      extend: () => group.extend(partition, offset),
      reject: () => group.reject(partition, offset, 'unwanted'),
    }[answer]();
    // Watched groups note it themselves.
    if (!this.#door)
      this.#history.add({
        kind: 'answered',
        topic: keyOf(group.topic),
        group: groupKeyOf(group),
        partition,
        offset,
        answer,
        took,
        ...(delayMs === undefined ? {} : { delayMs }),
      });
    if (answer === 'extend') return;
    consumer.credit++;
    group.wake();
  }

  #settle(group: Group, action: Extract<Action, { kind: 'settle' }>): void {
    const { answer, from, pick, count, ms, scope } = action;
    for (const picked of this.#receipts.pick(group, from, pick, count)) {
      const holdsKeys = picked.receipt.group.config.ordering === 'key';
      this.#settleOne(group, picked, answer, ms, scope === 'key' && !holdsKeys ? 'message' : scope);
    }
  }

  #settleOne(
    group: Group,
    { receipt, of, run }: KeptReceipt,
    answer: Settlement,
    ms?: number,
    scope?: PostponeScope,
  ): void {
    const took = settleBy(receipt, answer, ms, scope);
    const { partition, offset } = receipt;
    const key = groupKeyOf(receipt.group);
    this.#history.add({
      kind: 'answered',
      topic: keyOf(group.topic),
      group: key,
      partition,
      offset,
      answer,
      took,
      receipt: { of, run },
      ...(ms === undefined ? {} : { delayMs: ms }),
      ...(scope === undefined ? {} : { scope }),
    });
    if (!took || answer === 'set-deadline') return;
    const list = this.#listOf(this.#unanswered, key);
    const at = list.findIndex((unanswered) => unanswered.of === of);
    if (at < 0) return;
    list.splice(at, 1)[0]!.consumer.credit++;
    group.wake();
  }

  /** The consumer is about to give back its messages, of one partition or of all; returns how many. */
  #noteReleased(group: Group, consumer: SimulatedConsumer, partition?: number): number {
    const key = groupKeyOf(group);
    const held = group.held(consumer).map((receipt) => ({
      partition: receipt.partition,
      offset: receipt.offset,
      delivery: receipt.delivery,
    }));
    const given = held.filter((each) => partition === undefined || each.partition === partition);
    this.#history.add({
      kind: 'released',
      group: key,
      consumer: consumer.number,
      held,
      ...(partition === undefined ? {} : { partition }),
    });
    const list = this.#listOf(this.#unanswered, key);
    for (const { partition: of, offset } of given) {
      const at = list.findIndex(
        (each) => each.consumer === consumer && each.partition === of && each.offset === offset,
      );
      if (at >= 0) list.splice(at, 1);
    }
    return given.length;
  }

  /** The state that any client can ask the broker for at rest. `isFaulty`: the disk may keep it waiting. */
  atRest(isFaulty: boolean): Pick<FactOf<'idle'>, 'hungry' | 'inFlight'> {
    if (this.#door ?? this.#sqs) return {};
    const hungry: string[] = [];
    const inFlight: [string, number][] = [];
    for (const topic of this.#broker.topics.values()) {
      for (const group of topic.groups.values()) {
        const key = groupKeyOf(group);
        let count = 0;
        for (const { held } of group.listConsumers()) count += held;
        if (count > 0) inFlight.push([key, count]);
        const consumers = this.#consumers.get(key) ?? [];
        const mayTake = (consumer: SimulatedConsumer): boolean =>
          consumer.credit > 0 && group.isActive(consumer);
        const isResting = group.isPaused || group.info().heldUntilMs !== undefined;
        if (!isFaulty && !isResting && consumers.some(mayTake)) hungry.push(key);
      }
    }
    return { hungry, inFlight };
  }

  /** From now on every group has one consumer, which acks everything at once. */
  drain(): void {
    if (this.#sqs) return this.#sqs.drain();
    this.#draining = true;
    this.#door?.drain();
    this.#pulls.resumeAll();
    for (const topic of this.#broker.topics.values()) {
      for (const group of topic.groups.values()) if (!group.isCommitted) this.#drainGroup(group);
    }
  }

  #drainGroup(group: Group): void {
    const key = groupKeyOf(group);
    for (const consumer of this.#listOf(this.#consumers, key).splice(0)) {
      this.#history.add({ kind: 'detached', group: key, consumer: consumer.number });
      group.detach(consumer);
    }
    if (group.config.activeConsumers === 'single') {
      const { activeConsumers: _, activeSilenceMs: __, ...config } = group.config;
      const names = { topic: keyOf(group.topic), group: key };
      const of = this.#history.add({ kind: 'group', ...names, config, isNew: false });
      this.#await(group.update(config), of);
    }
    const { heldUntilMs, keysHeld } = group.info();
    if (group.isPaused || heldUntilMs !== undefined || keysHeld > 0)
      this.#await(group.resume(), this.#history.add({ kind: 'resumed', group: groupKeyOf(group) }));
    for (const unanswered of this.#listOf(this.#unanswered, key).splice(0))
      this.#say(group, unanswered, 'ack', undefined);
    this.#attach(group, { credit: 1000 });
  }

  /** Everything was received that can be. */
  drained(): void {
    this.#sqs?.drained();
  }

  // ---- both

  #await(promise: Promise<unknown>, of: number): void {
    promise.then(
      (value) =>
        this.#history.add({ kind: 'outcome', of, ...(typeof value === 'number' ? { count: value } : {}) }),
      (error: unknown) => this.#history.add({ kind: 'outcome', of, error: codeOf(error) }),
    );
  }

  #asked(action: string): number {
    return this.#history.add({ kind: 'asked', action });
  }

  #listOf<T>(map: Map<string, T[]>, key: string): T[] {
    let list = map.get(key);
    if (!list) map.set(key, (list = []));
    return list;
  }
}

interface Expectation {
  readonly expectedLastOffset?: number;
  readonly expectedLastKeyOffset?: number;
  readonly isGuess?: boolean;
}

interface Unanswered {
  readonly partition: number;
  readonly offset: number;
  readonly consumer: Taker;
  /** The event of its delivery. */
  readonly of: number;
}

/** A consumer, or a pull. */
interface Taker {
  readonly number: number;
  readonly priority: number | undefined;
  credit: number;
}

type ConsumerOptions = Pick<
  Extract<Action, { kind: 'attach' }>,
  'credit' | 'ackWaitMs' | 'priority' | 'member' | 'isExclusive'
>;

function settleBy(
  receipt: Receipt,
  answer: Settlement,
  ms: number | undefined,
  scope: PostponeScope | undefined,
): boolean {
  switch (answer) {
    case 'ack':
      return receipt.ack();
    case 'nack':
      return receipt.nack(ms);
    case 'reject':
      return receipt.reject('unwanted');
    case 'set-deadline':
      return receipt.setDeadline(ms ?? 0);
    case 'postpone':
      return receipt.postpone(ms ?? 0, scope);
    default:
      return answer satisfies never;
  }
}

class SimulatedConsumer implements Consumer, Taker {
  readonly isSimulated = true;
  readonly number: number;
  credit: number;
  readonly creditBytes = Infinity;
  readonly ackWaitMs: number | undefined;
  readonly priority: number | undefined;
  readonly member: string | undefined;
  readonly label: string;
  readonly #receive: (delivery: Delivery) => void;

  constructor(
    number: number,
    { credit, ackWaitMs, priority, member }: ConsumerOptions,
    receive: (delivery: Delivery) => void,
  ) {
    this.number = number;
    this.credit = credit;
    this.ackWaitMs = ackWaitMs;
    this.priority = priority;
    this.member = member;
    this.label = String(number);
    this.#receive = receive;
  }

  receive(delivery: Delivery): void {
    this.credit--;
    this.#receive(delivery);
  }

  ended(): void {
    this.credit = 0;
  }
}
