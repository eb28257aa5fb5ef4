import { checks, type AnyCodec, type Checks } from '../embedded/values.ts';
import { requireFeatures, type ClientContext } from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deliveries, deliveriesChecks, type DeliveriesOptions } from './deliveries.ts';
import type { Delivery } from './delivery.ts';
import type { Lag } from './driver.ts';
import type { GroupPlan } from './group-settings.ts';
import { consumeChecks, Subscription, type ConsumeOptions, type Handler } from './subscription.ts';

export interface NextOptions {
  /** How long to wait for a message. Default: no limit. */
  readonly waitMs?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const nextChecks: Checks<NextOptions> = { waitMs: checks.milliseconds(1), signal: checks.abortSignal };
const drainedChecks: Checks<{ signal?: AbortSignal }> = { signal: checks.abortSignal };

/** Looks at the lag while it waits for it to end. */
const drainedLookMs = 25;

/**
 * A group is a reading position on a topic, shared by its consumers, in this process and in others. Every
 * group gets every message; inside a group each message goes to one consumer.
 */
export class Group<T> implements AsyncIterable<Delivery<T>> {
  readonly name: string;
  readonly topic: string;
  /** The settings in force, those of other programs included. */
  readonly plan: GroupPlan;
  readonly #context: ClientContext;
  readonly #codec: AnyCodec;

  constructor(context: ClientContext, plan: GroupPlan, codec: AnyCodec) {
    this.#context = context;
    this.plan = plan;
    this.#codec = codec;
    this.name = plan.name;
    this.topic = plan.topic;
  }

  /**
   * Passes each message to a handler. When the handler returns or resolves, the message is acked. When it
   * throws or rejects, the message comes again after the group's backoff, and is given up after `maxDeliver`
   * deliveries. A `RetryError` sets the delay; a `RejectError` gives it up at once.
   *
   * ```ts
   * import { connect, RejectError } from 'pillarbox/client';
   *
   * await using client = await connect('memory:');
   * const orders = await client.topic('orders');
   * const billing = await orders.group('billing');
   * billing.consume(
   *   (message) => {
   *     if (message.value === 'nonsense') throw new RejectError('not an order');
   *     console.log('charged for', message.value); // prints: charged for a book
   *   },
   *   { concurrency: 8 },
   * );
   * await orders.publish('a book');
   * await orders.publish('nonsense');
   * await billing.drained();
   * console.log(await billing.deadLetters.count(), 'dead letter'); // prints: 1 dead letter
   * ```
   */
  consume(handler: Handler<T>, options: ConsumeOptions = {}): Subscription<T> {
    checks.checkValue('consume()', 'the handler', handler, checks.callback);
    checks.checkOptions('consume()', options, consumeChecks);
    return new Subscription<T>(this.#context, this.plan, this.#codec, handler, options);
  }

  /** Deliveries for a loop, which answers each one. */
  deliveries(options: DeliveriesOptions = {}): Deliveries<T> {
    checks.checkOptions('deliveries()', options, deliveriesChecks);
    return new Deliveries<T>(this.#context, this.plan, this.#codec, options);
  }

  [Symbol.asyncIterator](): Deliveries<T> {
    return this.deliveries();
  }

  /** The next message; undefined if none came within `waitMs`. */
  async next(options: NextOptions = {}): Promise<Delivery<T> | undefined> {
    checks.checkOptions('next()', options, nextChecks);
    const { waitMs, signal } = options;
    signal?.throwIfAborted();
    const deliveries = this.deliveries(signal ? { signal } : {});
    const timer =
      waitMs === undefined ? undefined : this.#context.clock.setTimer(waitMs, () => void deliveries.close());
    const result = await deliveries.next();
    timer?.cancel();
    await deliveries.close();
    if (!result.done) return result.value;
    signal?.throwIfAborted();
    return undefined;
  }

  /** Messages still to be delivered for the first time, and those delivered and not done. */
  async lag(): Promise<Lag> {
    requireFeatures(this.#context, ['lag']);
    return this.#context.driver.lag!(this.plan);
  }

  /** Resolves once all messages are done: none to deliver, none in flight. */
  async drained(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checks.checkOptions('drained()', options, drainedChecks);
    const { driver } = this.#context;
    if (driver.drained) return driver.drained(this.plan, options.signal);
    for (;;) {
      options.signal?.throwIfAborted();
      const { lag, inFlight } = await this.lag();
      if (lag === 0 && inFlight === 0) return;
      await new Promise<void>((resolve) => setTimeout(resolve, drainedLookMs));
    }
  }

  /** Messages that this group has given up. */
  get deadLetters(): DeadLetters<T> {
    const { deadLetter } = this.plan;
    const store = deadLetter === undefined ? undefined : this.#context.driver.letters(deadLetter);
    return new DeadLetters<T>(deadLetter, store, this.#codec);
  }
}
