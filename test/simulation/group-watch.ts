import type {
  AttachOptions,
  Broker,
  Consumer,
  Delivery,
  DetachOptions,
  Group,
} from '../../src/broker/index.ts';
import type { History } from './history.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import { sight } from './message.ts';
import type { Answer, PlannedMessage } from './script.ts';

/** An answer that a group took, and the event that says so. */
export interface Taken {
  readonly answer: Answer;
  readonly at: number;
}

/**
 * A group watch records the deliveries and answers of the broker's groups, for clients whose wire does not
 * tell: which message was delivered with which count, and whether an answer was taken.
 */
export class GroupWatch {
  readonly #history: History;
  readonly #plans: ReadonlyMap<number, PlannedMessage>;
  readonly #watched = new WeakSet<Consumer>();
  readonly #taken = new Map<string, Taken>();
  readonly #acked = new Map<string, Taken>();
  /** The messages accepted by clients that say so: an ack of any other was not requested. */
  #accepted: Set<string> | undefined;
  /** Labels of consumers are their numbers, and what they get is handed over on the wire. */
  readonly #isNumbered: boolean;

  constructor(history: History, plans: ReadonlyMap<number, PlannedMessage>, isNumbered: boolean = false) {
    this.#history = history;
    this.#plans = plans;
    this.#isNumbered = isNumbered;
  }

  /** All groups there are. */
  all(broker: Broker): void {
    for (const topic of broker.topics.values()) for (const group of topic.groups.values()) this.one(group);
  }

  /** From now on clients say which messages they accept. */
  expectAccepts(): void {
    this.#accepted = new Set();
  }

  /** A client is about to accept it. */
  accepting(group: Group, partition: number, offset: number): void {
    this.#accepted?.add(`${groupKeyOf(group)}/${partition}/${offset}`);
  }

  /** From now on others ack too. */
  acceptAll(): void {
    this.#accepted = undefined;
  }

  /** The last answer about that message that was taken. */
  taken(group: Group, partition: number, offset: number): Taken | undefined {
    return this.#taken.get(`${groupKeyOf(group)}/${partition}/${offset}`);
  }

  /**
   * The last ack of that message that was taken. After a reset it may have been delivered and answered again.
   */
  acked(group: Group, partition: number, offset: number): Taken | undefined {
    return this.#acked.get(`${groupKeyOf(group)}/${partition}/${offset}`);
  }

  one(group: Group): void {
    const attach = group.attach.bind(group);
    group.attach = (consumer, options) => {
      this.#watchConsumer(group, consumer);
      if (this.#isNumbered) this.#attach(group, consumer, options, attach);
      else attach(consumer, options);
    };
    if (this.#isNumbered) this.#watchLeaving(group);
    const ack = group.ack.bind(group);
    group.ack = (partition, offset) => this.#took(group, partition, offset, 'ack', ack(partition, offset));
    const ackAll = group.ackAll.bind(group);
    group.ackAll = (partition, offset) =>
      this.#took(group, partition, offset, 'ack-all', ackAll(partition, offset));
    const nack = group.nack.bind(group);
    group.nack = (partition, offset, delayMs, reason) =>
      this.#took(group, partition, offset, 'nack', nack(partition, offset, delayMs, reason), delayMs);
    const extend = group.extend.bind(group);
    group.extend = (partition, offset) =>
      this.#took(group, partition, offset, 'extend', extend(partition, offset));
    const reject = group.reject.bind(group);
    group.reject = (partition, offset, reason) =>
      this.#took(group, partition, offset, 'reject', reject(partition, offset, reason));
  }

  /** The consumers of the simulation's own clients note it themselves. */
  #watchConsumer(group: Group, consumer: Consumer): void {
    if (this.#watched.has(consumer) || 'isSimulated' in consumer) return;
    this.#watched.add(consumer);
    const receive = consumer.receive.bind(consumer);
    consumer.receive = (delivery) => {
      this.#delivered(group, consumer, delivery);
      receive(delivery);
    };
  }

  #attach(
    group: Group,
    consumer: Consumer,
    options: AttachOptions | undefined,
    attach: (consumer: Consumer, options?: AttachOptions) => void,
  ): void {
    const number = numberOf(consumer);
    if (number === undefined) return attach(consumer, options);
    const names = { group: groupKeyOf(group), consumer: number };
    this.#history.add({
      kind: 'attaching',
      ...names,
      member: consumer.member,
      isExclusive: options?.exclusive === true,
      isPull: false,
    });
    attach(consumer, options);
    this.#history.add({ kind: 'attach-outcome', ...names });
  }

  /** Consumers that leave, and what goes back to the group. */
  #watchLeaving(group: Group): void {
    const detach = group.detach.bind(group);
    group.detach = (consumer: Consumer, options?: DetachOptions) => {
      const number = numberOf(consumer);
      if (number !== undefined)
        this.#history.add({ kind: 'detached', group: groupKeyOf(group), consumer: number });
      detach(consumer, options);
    };
    const giveBack = group.giveBack.bind(group);
    group.giveBack = (partition, offset) => {
      const took = giveBack(partition, offset);
      this.#history.add({ kind: 'given-back', group: groupKeyOf(group), partition, offset, took });
      return took;
    };
  }

  #delivered(group: Group, consumer: Consumer, { record, partition, deliveries }: Delivery): void {
    const seen = sight(record, partition, this.#plans, group.topic.name);
    const number = this.#isNumbered ? numberOf(consumer) : undefined;
    this.#history.add({
      kind: 'delivered',
      topic: keyOf(group.topic),
      group: groupKeyOf(group),
      deliveries,
      seen,
      ...(number === undefined ? {} : { consumer: number }),
      ...(this.#isNumbered ? { isHandedOver: true } : {}),
      ...(number !== undefined && group.config.activeConsumers === 'single' ? { isSingle: true } : {}),
    });
  }

  #took(
    group: Group,
    partition: number,
    offset: number,
    answer: Answer,
    took: boolean,
    delayMs?: number,
  ): boolean {
    const at = this.#history.add({
      kind: 'answered',
      topic: keyOf(group.topic),
      group: groupKeyOf(group),
      partition,
      offset,
      answer,
      took,
      ...(delayMs === undefined ? {} : { delayMs }),
    });
    const message = `${groupKeyOf(group)}/${partition}/${offset}`;
    if (took) this.#taken.set(message, { at, answer });
    if (took && answer === 'ack') this.#acked.set(message, { at, answer });
    if (took && answer === 'ack' && this.#accepted?.has(message) === false)
      this.#history.add({ kind: 'problem', text: `${message} was acked, and nobody accepted it` });
    return took;
  }
}

/** Those of the simulation's own clients note it themselves. */
function numberOf(consumer: Consumer): number | undefined {
  if ('isSimulated' in consumer || consumer.label === undefined) return undefined;
  return Number(consumer.label);
}
