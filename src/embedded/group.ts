import {
  deadLetterNames,
  type ActiveInfo,
  type Group as CoreGroup,
  type GroupConfig,
  type GroupStats,
} from '../broker/index.ts';
import { Batches, batchesChecks, type BatchesOptions } from './batches.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deliveries, deliveriesChecks, type DeliveriesOptions } from './deliveries.ts';
import type { Delivery } from './delivery.ts';
import { changedGroup, startCheck, startOf, type GroupSettings, type Start } from './group-settings.ts';
import {
  abortSignal,
  callback,
  checkOptions,
  checkValue,
  milliseconds,
  time,
  type Checks,
} from './options.ts';
import { precedenceChecks, type PrecedenceOptions } from './precedence.ts';
import {
  BatchSubscription,
  MessageSubscription,
  consumeBatchesChecks,
  consumeChecks,
  type BatchHandler,
  type ConsumeBatchesOptions,
  type ConsumeOptions,
  type Handler,
  type Subscription,
} from './subscription.ts';

export interface NextOptions extends PrecedenceOptions {
  /**
   * How long to wait for a message, on the clock of the box. 0: only take a message that is available now.
   * Default: no limit.
   */
  readonly waitMs?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const signalChecks: Checks<{ signal?: AbortSignal }> = { signal: abortSignal };
const nextChecks: Checks<NextOptions> = {
  waitMs: milliseconds(),
  signal: abortSignal,
  ...precedenceChecks,
};
const pauseChecks: Checks<{ untilMs?: number }> = { untilMs: time };

/**
 * A group is a reading position on a topic, shared by its consumers. Every group gets every message; inside a
 * group each message goes to one consumer. Consumers are `for await` loops and handlers, any number of them.
 */
export class Group<T> implements AsyncIterable<Delivery<T>> {
  readonly name: string;
  readonly topic: string;
  readonly #context: BoxContext;
  readonly #core: CoreGroup;
  readonly #codec: AnyCodec;

  constructor(context: BoxContext, core: CoreGroup, codec: AnyCodec) {
    this.#context = context;
    this.#core = core;
    this.#codec = codec;
    this.name = core.name;
    this.topic = core.topic.name;
  }

  get config(): GroupConfig {
    return this.#core.config;
  }

  /** Messages still to be delivered for the first time. */
  get lag(): number {
    return this.#core.info().lag;
  }

  /** Messages delivered and not done, including those that wait for redelivery. */
  get inFlight(): number {
    return this.#core.info().inFlight;
  }

  // ---- consuming

  /**
   * Passes each message to a handler. When the handler returns or resolves, the message is acked. When it
   * throws or rejects, the message is nacked and comes again after the group's backoff. A `RetryError` sets
   * the delay; a `PostponeError` says "not now"; a `RejectError` prevents redelivery.
   *
   * ```ts
   * import { open, RejectError } from 'pillarbox';
   *
   * await using box = await open();
   * const orders = await box.topic('orders');
   * const billing = await orders.group('billing');
   * await using subscription = billing.consume(
   *   async (message, { signal }) => {
   *     if (message.value === 'nonsense') throw new RejectError('not an order');
   *     await charge(message.value, signal);
   *   },
   *   { concurrency: 8 },
   * );
   * await orders.publish('a book');
   * await orders.publish('nonsense');
   * await billing.drained();
   * console.log(billing.deadLetters.count, 'dead letter'); // prints: 1 dead letter
   *
   * async function charge(order: unknown, signal: AbortSignal): Promise<void> {
   *   signal.throwIfAborted();
   *   console.log('charged for', order); // prints: charged for a book
   * }
   * ```
   */
  consume(handler: Handler<T>, options: ConsumeOptions = {}): Subscription {
    checkValue('consume()', 'the handler', handler, callback);
    checkOptions('consume()', options, consumeChecks);
    return new MessageSubscription(this.#context, this.#core, this.#codec, handler, options);
  }

  /**
   * Passes batches to a handler, one after another. Messages that the handler did not answer are acked, or
   * nacked if it throws.
   */
  consumeBatches(handler: BatchHandler<T>, options: ConsumeBatchesOptions = {}): Subscription {
    checkValue('consumeBatches()', 'the handler', handler, callback);
    checkOptions('consumeBatches()', options, consumeBatchesChecks);
    return new BatchSubscription(this.#context, this.#core, this.#codec, handler, options);
  }

  /**
   * Deliveries for a loop, which answers each one.
   *
   * ```ts
   * import { open } from 'pillarbox';
   *
   * await using box = await open();
   * const orders = await box.topic('orders');
   * await orders.publishBatch(['tea', 'milk', 'stop']);
   * const kitchen = await orders.group('kitchen');
   * for await (const message of kitchen.deliveries()) {
   *   console.log(message.offset, message.value); // prints: 0 tea | 1 milk | 2 stop
   *   await message.ack();
   *   if (message.value === 'stop') break;
   * }
   * ```
   */
  deliveries(options: DeliveriesOptions = {}): Deliveries<T> {
    checkOptions('deliveries()', options, deliveriesChecks);
    return new Deliveries(this.#context, this.#core, this.#codec, options);
  }

  [Symbol.asyncIterator](): Deliveries<T> {
    return this.deliveries();
  }

  /** Batches of deliveries for a loop, which answers them. */
  batches(options: BatchesOptions = {}): Batches<T> {
    checkOptions('batches()', options, batchesChecks);
    return new Batches(this.#context, this.#core, this.#codec, options);
  }

  /** The next message; undefined if none came within `waitMs`. */
  async next(options: NextOptions = {}): Promise<Delivery<T> | undefined> {
    checkOptions('next()', options, nextChecks);
    const { waitMs, ...others } = options;
    const { signal } = others;
    signal?.throwIfAborted();
    const deliveries = new Deliveries<T>(this.#context, this.#core, this.#codec, { ...others, isPull: true });
    const timer = waitMs ? this.#context.clock.setTimer(waitMs, () => void deliveries.close()) : undefined;
    const next = deliveries.next();
    const callOff = waitMs === 0 ? this.#core.whenIdle(() => void deliveries.close()) : undefined;
    const result = await next;
    timer?.cancel();
    callOff?.();
    await deliveries.close();
    if (!result.done) return result.value;
    signal?.throwIfAborted();
    return undefined;
  }

  /**
   * Resolves once all messages are done and that is on disk: none to deliver, none in flight. Only answers
   * given through this box are noticed.
   */
  async drained(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkOptions('drained()', options, signalChecks);
    const { signal } = options;
    signal?.throwIfAborted();
    if (!this.#isDrained) await this.#untilDrained(signal);
    await this.#context.answerOf(true);
  }

  get #isDrained(): boolean {
    const { lag, inFlight } = this.#core.info();
    return lag === 0 && inFlight === 0;
  }

  #untilDrained(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const letGo = this.#context.keepAlive.hold();
      const end = (): void => {
        stop();
        letGo();
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        end();
        reject(signal!.reason as Error);
      };
      const stop = this.#context.watchAnswers(this.#core, (gone) => {
        if (!gone && !this.#isDrained) return;
        end();
        if (gone) reject(gone);
        else resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  // ---- the active consumer

  /**
   * The active consumer of a group with a single one; undefined: none yet, or all consumers get messages.
   *
   * ```ts
   * import { open } from 'pillarbox';
   *
   * await using box = await open();
   * const ledger = await (await box.topic('ledger')).group('writer', { activeConsumers: 'single' });
   * const first = ledger.consume(() => {}, { member: 'host 1' });
   * const second = ledger.consume(() => {}, { member: 'host 2' });
   * console.log(ledger.active?.member, second.isActive); // prints: host 1 false
   * await first.close();
   * console.log(ledger.active?.member, second.isActive); // prints: host 2 true
   * ```
   */
  get active(): ActiveInfo | undefined {
    return this.#core.active;
  }

  /** Makes the active consumer wait again, and the next one take over. Returns false if none was active. */
  releaseActive(): boolean {
    return this.#core.releaseActive();
  }

  // ---- administration

  /** Messages that this group has given up. */
  get deadLetters(): DeadLetters<T> {
    return new DeadLetters<T>(this.#context, this.#codec, deadLetterNames(this.#core)[0]);
  }

  /** Lag, deliveries, rates, and the age of the oldest waiting message. */
  async stats(): Promise<GroupStats & { readonly oldestAgeMs: number | undefined }> {
    return { ...this.#core.stats(), oldestAgeMs: await this.#core.oldestAgeMs() };
  }

  /**
   * Stops deliveries until `untilMs` (milliseconds since the epoch) or until resumed. Answers are still
   * accepted.
   */
  async pause(options: { readonly untilMs?: number } = {}): Promise<void> {
    checkOptions('pause()', options, pauseChecks);
    return this.#core.pause(options.untilMs);
  }

  resume(): Promise<void> {
    return this.#core.resume();
  }

  /** Moves the position to `start`; deliveries in flight are forgotten. */
  async reset(start: Start): Promise<void> {
    checkValue('reset()', 'the start', start, startCheck);
    return this.#core.reset(startOf(start));
  }

  async update(settings: Omit<GroupSettings, 'start'>): Promise<void> {
    const changed = changedGroup(this.#core.config, settings);
    if (changed) await this.#core.update(changed);
  }

  /**
   * Deletes the group and its position. Its messages stay in the topic if other groups or the retention need
   * them.
   */
  delete(): Promise<void> {
    return this.#core.delete();
  }
}
