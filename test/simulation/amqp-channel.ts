import type { Topic } from '../../src/broker/index.ts';
import { defaultGroup } from '../../src/broker/index.ts';
import { methods, type Arguments, type FieldValue, type Method } from '../../src/wire/amqp/index.ts';
import type { AmqpClient, Heard } from './amqp-client.ts';
import type { WireAnswer } from './amqp-facts.ts';
import type { AmqpRun } from './amqp-run.ts';
import type { AmqpStep, ChannelKind } from './amqp-script.ts';
import type { Way } from './amqp-topology.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import { contentOf, idOf } from './message.ts';
import type { PlannedMessage } from './script.ts';

type StepOf<K extends AmqpStep['kind']> = Extract<AmqpStep, { readonly kind: K }>;

/** Numbers that are given out once in a life. */
export interface AmqpNumbers {
  channel: number;
  tx: number;
  /** Of consumers, of any kind. */
  readonly nextConsumer: () => number;
}

interface ConsumerKnown {
  readonly number: number;
  readonly topic: Topic;
  readonly noAck: boolean;
}

const unknownTag = 1_000_000;

/** A channel of an AMQP client: it notes what it says and hears. */
export class AmqpChannel {
  readonly kind: ChannelKind;
  readonly number: number;
  /** Its number in the history. */
  readonly key: number;
  readonly #run: AmqpRun;
  readonly #client: AmqpClient;
  readonly #numbers: AmqpNumbers;
  readonly #ended: () => void;
  /** By the number of the publish: the copies that it may make. */
  readonly #unconfirmed = new Map<number, readonly number[]>();
  #publishes = 0;
  readonly #consumers = new Map<string, ConsumerKnown>();
  readonly #gets: { readonly topic: Topic; readonly noAck: boolean }[] = [];
  /** Unanswered deliveries. */
  #unacked: number[] = [];
  /** Those that were answered in the transaction. */
  #answeredInTx: number[] = [];
  #tx: number;
  #isEndingTx = false;
  #recoveries = 0;
  /** The events at which the server was asked to say that it has got there. */
  readonly #probes: number[] = [];
  /** It is going to end: nothing more is said. */
  #isLeaving = false;
  #isOver = false;

  constructor(
    run: AmqpRun,
    client: AmqpClient,
    kind: ChannelKind,
    number: number,
    numbers: AmqpNumbers,
    ended: () => void,
  ) {
    this.#run = run;
    this.#client = client;
    this.kind = kind;
    this.number = number;
    this.#numbers = numbers;
    this.#ended = ended;
    this.key = ++numbers.channel;
    this.#tx = ++numbers.tx;
    this.#send(methods.channel.open, { reserved1: '' });
    if (kind === 'confirm') this.#send(methods.confirm.select, { noWait: false });
    if (kind === 'tx') this.#send(methods.tx.select, {});
  }

  /** Requests may be on their way to the server that mean what their names mean when they arrive. */
  get isRouting(): boolean {
    return !this.#isOver && this.#probes.length > 0;
  }

  get #isSilent(): boolean {
    return this.#isLeaving || this.#isOver || this.#isEndingTx;
  }

  // ---- what the client does

  publish(step: StepOf<'publish'>, messages: readonly PlannedMessage[], way: Way): void {
    if (this.#isSilent) return;
    const copies = new Map<number, Map<string, PlannedMessage>>();
    for (const plan of messages) {
      const name = plan.copyOf!;
      const of = copies.get(name) ?? new Map<string, PlannedMessage>();
      copies.set(name, of);
      for (const [queue, id] of Object.entries(plan.copies!)) if (id === plan.id) of.set(queue, plan);
    }
    for (const [name, of] of copies) this.#publishOne(step, name, of, way);
    this.#probe();
  }

  #publishOne(
    { exchange, key, mandatory }: StepOf<'publish'>,
    name: number,
    copies: ReadonlyMap<string, PlannedMessage>,
    { sure, unsure }: Way,
  ): void {
    const ids: number[] = [];
    const note = (topic: Topic, mayMiss: boolean): void => {
      const plan = copies.get(topic.name);
      if (!plan) return;
      ids.push(plan.id);
      this.#run.note({
        kind: 'publish',
        topic: keyOf(topic),
        plan,
        toAll: 'all-or-none',
        ...(this.kind === 'tx' ? { tx: this.#tx } : {}),
        ...(mayMiss ? { mayMiss: true } : {}),
      });
    };
    for (const topic of sure) note(topic, false);
    for (const topic of unsure) note(topic, true);
    if (mandatory) {
      const way = sure.length > 0 ? 'sure' : unsure.length > 0 ? 'unknown' : 'none';
      this.#run.note({ kind: 'mandatory', name, channel: this.key, way });
    }
    if (this.kind === 'confirm') this.#unconfirmed.set(++this.#publishes, ids);
    const [plan] = copies.values();
    const { ttlMs, priority } = plan!;
    this.#client.publish(this.number, {
      exchange,
      routingKey: key,
      mandatory,
      properties: {
        deliveryMode: 2,
        ...(ttlMs === undefined ? {} : { expiration: String(ttlMs) }),
        ...(priority === undefined ? {} : { priority }),
      },
      body: contentOf(plan!).value,
    });
  }

  consume({ prefetch, noAck }: StepOf<'consume'>, topic: Topic): void {
    if (this.#isSilent) return;
    const number = this.#numbers.nextConsumer();
    const tag = String(number);
    this.#consumers.set(tag, { number, topic, noAck });
    this.#run.note({ kind: 'consuming', consumer: number, channel: this.key, prefetch, noAck });
    this.#send(methods.basic.qos, { prefetchSize: 0, prefetchCount: prefetch, global: false });
    this.#send(methods.basic.consume, {
      reserved1: 0,
      queue: topic.name,
      consumerTag: tag,
      noLocal: false,
      noAck,
      exclusive: false,
      noWait: false,
      arguments: new Map<string, FieldValue>(),
    });
    this.#probe();
  }

  limit({ prefetch }: StepOf<'limit'>): void {
    if (this.#isSilent) return;
    this.#run.note({ kind: 'channel-prefetch', channel: this.key, prefetch });
    this.#send(methods.basic.qos, { prefetchSize: 0, prefetchCount: prefetch, global: true });
    this.#probe();
  }

  cancel({ pick }: StepOf<'cancel'>): void {
    if (this.#isSilent) return;
    const tags = [...this.#consumers.keys()];
    const tag = tags[Math.floor(pick * tags.length)];
    if (tag !== undefined) this.#send(methods.basic.cancel, { consumerTag: tag, noWait: false });
  }

  get({ noAck }: StepOf<'get'>, topic: Topic): void {
    const group = topic.groups.get(defaultGroup);
    // A get is a consumer that waits for its turn, too.
    if (this.#isSilent || !group || group.config.activeConsumers === 'single') return;
    this.#gets.push({ topic, noAck });
    this.#run.note({ kind: 'getting', channel: this.key, group: groupKeyOf(group), noAck });
    this.#send(methods.basic.get, { reserved1: 0, queue: topic.name, noAck });
    this.#probe();
  }

  answer({ answer, pick, multiple, count }: StepOf<'answer'>): void {
    if (this.#isSilent || this.#recoveries > 0) return;
    for (let left = multiple ? 1 : count; left > 0 && this.#unacked.length > 0; left--) {
      const at = Math.floor(pick * this.#unacked.length);
      const tag = this.#unacked[at]!;
      const taken = multiple ? this.#unacked.splice(0, at + 1) : this.#unacked.splice(at, 1);
      if (this.kind === 'tx') this.#answeredInTx.push(...taken);
      this.#answerOne(tag, multiple, answer);
    }
    this.#probe();
  }

  #answerOne(deliveryTag: number, multiple: boolean, answer: WireAnswer): void {
    this.#run.note({
      kind: 'answering',
      channel: this.key,
      tag: deliveryTag,
      multiple,
      answer,
      ...(this.kind === 'tx' ? { tx: this.#tx } : {}),
    });
    const requeue = answer === 'requeue';
    if (answer === 'ack') this.#send(methods.basic.ack, { deliveryTag, multiple });
    else if (multiple || deliveryTag % 2 === 0)
      this.#send(methods.basic.nack, { deliveryTag, multiple, requeue });
    else this.#send(methods.basic.reject, { deliveryTag, requeue });
  }

  /** All deliveries that it has not answered go back; those on their way are void. */
  recover(): void {
    if (this.#isSilent) return;
    this.#recoveries++;
    this.#run.note({ kind: 'recovering', channel: this.key });
    this.#send(methods.basic.recover, { requeue: true });
  }

  endTx({ outcome }: StepOf<'end-tx'>): void {
    if (this.#isSilent || this.kind !== 'tx' || this.#recoveries > 0) return;
    this.#isEndingTx = true;
    if (outcome === 'commit') this.#mayEnd(true); // if a queue refuses a publish
    this.#run.note({ kind: 'tx', tx: this.#tx, channel: this.key, what: outcome });
    this.#send(outcome === 'commit' ? methods.tx.commit : methods.tx.rollback, {});
  }

  /** Says something wrong, for which the server ends the channel. */
  mistake(): void {
    if (this.#isSilent) return;
    this.#leave();
    this.#send(methods.basic.ack, { deliveryTag: unknownTag, multiple: false });
  }

  close(): void {
    if (this.#isSilent) return;
    this.#leave();
    this.#send(methods.channel.close, { replyCode: 200, replyText: '', failedClass: 0, failedMethod: 0 });
  }

  /** Its connection ends, or it does. */
  #leave(): void {
    this.#isLeaving = true;
    this.#mayEnd(true);
  }

  leaving(): void {
    if (!this.#isLeaving && !this.#isOver) this.#leave();
  }

  over(): void {
    this.#isOver = true;
  }

  #mayEnd(may: boolean): void {
    this.#run.note({ kind: 'channel-may-end', channel: this.key, may });
  }

  /** Asks for an answer, which comes behind everything before it. */
  #probe(): void {
    this.#probes.push(this.#run.events - 1);
    this.#send(methods.channel.flow, { active: true });
  }

  #send<M extends Method>(method: M, values: Arguments<M>): void {
    this.#client.send(this.number, method, values);
  }

  // ---- what the server says

  hear(heard: Heard): void {
    const { method, values, body } = heard;
    const { basic, channel, tx } = methods;
    if (method === channel.flowOk) return this.#synced();
    if (method === basic.ack) return this.#confirmed(values as Arguments<typeof basic.ack>);
    if (method === basic.nack) return this.#refused(values as Arguments<typeof basic.nack>);
    if (method === basic.return)
      return void this.#run.note({ kind: 'returned', name: idOf(body), channel: this.key });
    if (method === basic.deliver) return this.#delivered(values as Arguments<typeof basic.deliver>, heard);
    if (method === basic.getOk) return this.#got(values as Arguments<typeof basic.getOk>, heard);
    if (method === basic.getEmpty) return void this.#gets.shift();
    if (method === basic.cancel) return; // its queue is gone
    if (method === basic.recoverOk) return this.#recovered();
    if (method === tx.commitOk) return this.#committed();
    if (method === tx.rollbackOk) return this.#rolledBack();
    if (method === channel.close) return this.#closedByServer(values as Arguments<typeof channel.close>);
    if (method === channel.closeOk) return this.#end();
  }

  #synced(): void {
    const upTo = this.#probes.shift()!;
    this.#run.note({ kind: 'synced', channel: this.key, upTo });
  }

  #confirmed({ deliveryTag, multiple }: Arguments<typeof methods.basic.ack>): void {
    const tags = multiple ? [...this.#unconfirmed.keys()].filter((tag) => tag <= deliveryTag) : [deliveryTag];
    for (const tag of tags) {
      const ids = this.#unconfirmed.get(tag);
      if (!ids) return this.#run.problem(`publish ${tag} of channel ${this.key} was confirmed twice`);
      this.#unconfirmed.delete(tag);
      if (ids.length > 0) this.#run.note({ kind: 'published-to-all', ids, refusals: [] });
    }
  }

  #refused({ deliveryTag }: Arguments<typeof methods.basic.nack>): void {
    const ids = this.#unconfirmed.get(deliveryTag);
    if (!ids) return this.#run.problem(`publish ${deliveryTag} of channel ${this.key} was answered twice`);
    this.#unconfirmed.delete(deliveryTag);
    // The wire has no word for the reason.
    const code = this.#run.isEnding ? 'storage-failed' : 'topic-full';
    if (ids.length > 0) this.#run.note({ kind: 'refused-by-all', ids, code });
  }

  #delivered({ consumerTag, ...delivery }: Arguments<typeof methods.basic.deliver>, heard: Heard): void {
    const { number, topic, noAck } = this.#consumers.get(consumerTag)!;
    this.#handedOver(delivery, { topic, noAck, consumer: number }, heard);
  }

  #got(delivery: Arguments<typeof methods.basic.getOk>, heard: Heard): void {
    this.#handedOver(delivery, { ...this.#gets.shift()!, consumer: undefined }, heard);
  }

  #handedOver(
    { deliveryTag, redelivered, routingKey }: Omit<Arguments<typeof methods.basic.deliver>, 'consumerTag'>,
    to: { readonly topic: Topic; readonly noAck: boolean; readonly consumer: number | undefined },
    { body, properties }: Heard,
  ): void {
    const { topic, noAck, consumer } = to;
    const group = topic.groups.get(defaultGroup);
    if (!group) return; // deleted meanwhile
    const plan = this.#run.plans.get(idOf(body));
    const first = properties.headers?.get('x-first-death-queue');
    const isLetter = first !== undefined;
    const published = typeof first === 'string' ? first : topic.name;
    const isWhole = plan !== undefined && contentOf(plan).value.equals(body);
    const isKept = isLetter || routingKey === (plan?.key ?? topic.name);
    this.#run.note({
      kind: 'handed-over',
      channel: this.key,
      tag: deliveryTag,
      consumer,
      group: groupKeyOf(group),
      id: plan?.copies?.[published] ?? -1,
      redelivered,
      noAck,
      ...(isWhole ? {} : { altered: 'value' }),
      ...(isKept ? {} : { altered: 'routing key' }),
    });
    if (!noAck && this.#recoveries === 0) this.#unacked.push(deliveryTag);
  }

  #recovered(): void {
    this.#recoveries--;
    this.#unacked = [];
    this.#run.note({ kind: 'recovered', channel: this.key });
  }

  #committed(): void {
    if (!this.#isLeaving) this.#mayEnd(false);
    this.#txEnded('committed');
  }

  #rolledBack(): void {
    this.#unacked = [...this.#unacked, ...this.#answeredInTx].toSorted((a, b) => a - b);
    this.#txEnded(undefined);
  }

  #txEnded(what: 'committed' | 'partial' | undefined): void {
    if (what) this.#run.note({ kind: 'tx', tx: this.#tx, channel: this.key, what });
    this.#answeredInTx = [];
    this.#isEndingTx = false;
    this.#tx = ++this.#numbers.tx;
  }

  #closedByServer({ replyText }: Arguments<typeof methods.channel.close>): void {
    if (this.#isEndingTx && replyText.includes('partial tx completion')) this.#txEnded('partial');
    else if (!this.#isLeaving) this.#run.problem(`channel ${this.key} was closed: ${replyText}`);
    this.#send(methods.channel.closeOk, {});
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#ended();
  }
}
