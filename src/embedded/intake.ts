import type {
  Consumer as CoreConsumer,
  ConsumerEnd,
  Delivery as CoreDelivery,
  Group as CoreGroup,
} from '../broker/index.ts';
import type { BoxContext } from './context.ts';
import type { Incoming } from './delivery.ts';
import type { ExclusiveOptions } from './precedence.ts';
import { partsOf } from './message.ts';
import { Receipt } from './receipt.ts';

/** A delivery for a handler or a loop. */
export function incomingOf(context: BoxContext, group: CoreGroup, delivery: CoreDelivery): Incoming {
  const parts = partsOf(group.topic.name, delivery.partition, delivery.record);
  const receipt = new Receipt(context, group, delivery);
  if (receipt.settled) queueMicrotask(() => context.answered(group));
  return { parts, receipt };
}

/** Receives the messages that an intake asked for. */
export interface IntakeListener {
  received(incoming: Incoming): void;
  /** The group was deleted, or the box closed: no more messages will come. */
  ended(reason: ConsumerEnd): void;
}

/** The precedence of an intake in its group. */
export interface IntakeOptions extends ExclusiveOptions {
  /** It is one of many, each of which takes a few messages: its member comes again. Default false. */
  readonly isPull?: boolean;
}

/** An intake is the box's consumer in a broker's group. It receives as many messages as were asked for. */
export class Intake implements CoreConsumer {
  readonly creditBytes: number = Infinity;
  readonly label: string;
  readonly priority: number | undefined;
  readonly member: string | undefined;
  credit = 0;
  readonly #context: BoxContext;
  readonly #group: CoreGroup;
  readonly #listener: IntakeListener;
  readonly presence: 'pulls-and-answers' | undefined;
  readonly #isExclusive: boolean;
  readonly #letGo: () => void;

  /** `label` is the name of this consumer in lists of the group's consumers. */
  constructor(
    context: BoxContext,
    group: CoreGroup,
    label: string,
    options: IntakeOptions,
    listener: IntakeListener,
  ) {
    this.label = label;
    this.priority = options.priority;
    this.member = options.member;
    this.presence = options.isPull === true ? 'pulls-and-answers' : undefined;
    this.#isExclusive = options.exclusive ?? false;
    this.#context = context;
    this.#group = group;
    this.#listener = listener;
    this.#letGo = context.keepAlive.hold();
  }

  /**
   * Starts to receive messages. If the group is already deleted, `ended` is called at once. Throws a
   * BrokerError if the broker or the group takes no further consumer.
   */
  attach(): void {
    try {
      this.#context.broker.budgets.check('consumers');
      this.#group.attach(this, { exclusive: this.#isExclusive });
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  /** Whether it gets messages: false if another consumer is the active one. */
  get isActive(): boolean {
    return this.#group.isActive(this);
  }

  /** Asks for `count` more messages. */
  ask(count: number): void {
    if (count <= 0) return;
    this.credit += count;
    this.#group.wake(this);
  }

  receive(delivery: CoreDelivery): void {
    this.credit--;
    this.#listener.received(incomingOf(this.#context, this.#group, delivery));
  }

  ended(reason: ConsumerEnd): void {
    this.credit = 0;
    this.#letGo();
    this.#listener.ended(reason);
  }

  close(): void {
    this.credit = 0;
    this.#letGo();
    this.#group.detach(this, { returns: this.presence !== undefined });
  }
}
