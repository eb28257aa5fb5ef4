import {
  BrokerError,
  Collector,
  type CollectorEnd,
  type CollectorListener,
  type Delivery,
} from '../../../broker/index.ts';
import type { Timer } from '../../../util/index.ts';
import type { StreamConsumer } from './consumer.ts';
import type { Context, LiveTarget } from './context.ts';
import { ApiError } from './errors.ts';
import { freshId } from './ids.ts';
import { precedenceOfPull, refusalOfPull, type PullPriority } from './priority-groups.ts';
import { decodePullBody } from './pull-body.ts';
import {
  badRequestStatus,
  batchCompletedStatus,
  exceededStatus,
  exceedsMaxBytesStatus,
  requestTimeoutStatus,
  serverShutdownStatus,
  statuses,
  wrongPinStatus,
} from './status.ts';
import { durationText, nanosPerMs } from './time.ts';

/** The most requests that wait at one consumer, whatever its max_waiting. */
const waitingMax = 16_384;

/** The options of a pull request. Times in milliseconds; 0 = not set. */
export interface PullOptions {
  readonly batch: number;
  readonly maxBytes: number;
  readonly expiresMs: number;
  readonly heartbeatMs: number;
  readonly noWait: boolean;
  /** Absent: the body was no JSON. */
  readonly priority?: PullPriority;
}

/**
 * A pull request is one `CONSUMER.MSG.NEXT`: a collector of its group. It lasts until it is filled, expires,
 * or its inbox has no subscriber any more. The messages it collects are sent at once.
 *
 * Requests of one consumer take turns, one message each, as in nats-server.
 */
export class PullRequest implements CollectorListener {
  readonly #context: Context;
  readonly #consumer: StreamConsumer;
  readonly #target: LiveTarget;
  readonly #reply: string;
  readonly #options: PullOptions;
  readonly #collector: Collector;
  #lastSentMs: number;
  #heartbeat: Timer | undefined = undefined;

  constructor(context: Context, consumer: StreamConsumer, reply: string, options: PullOptions) {
    this.#context = context;
    this.#consumer = consumer;
    this.#reply = reply;
    this.#options = options;
    this.#target = context.router.target(reply);
    this.#lastSentMs = context.clock.monotonic();
    const { batch, maxBytes, expiresMs, noWait } = options;
    const { connection } = this.#target;
    this.#collector = new Collector(
      context.clock,
      {
        messagesMax: batch,
        ...(maxBytes > 0 ? { bytesMax: maxBytes, sizeOf: this.#sizeOf } : {}),
        ...(expiresMs > 0 ? { waitMs: expiresMs } : {}),
        // A request that also expires waits for the first message.
        idle: noWait && expiresMs === 0 ? 'answer' : 'wait',
        label: reply,
        ...(connection === undefined ? {} : { connection }),
        ...precedenceOfPull(consumer.config, options.priority),
      },
      this,
    );
  }

  /** Messages that the request still takes. */
  get left(): number {
    return this.#collector.messagesLeft;
  }

  /** Joins the group, if the inbox has a subscriber. */
  start(): void {
    if (!this.#target.present) return this.#collector.end();
    this.#consumer.waiting.add(this);
    this.#target.watch((present) => {
      if (!present) this.#collector.end();
    });
    const { heartbeatMs } = this.#options;
    if (heartbeatMs > 0) this.#heartbeat = this.#context.clock.setTimer(heartbeatMs, this.#beat);
    this.#lookForCongestion();
    try {
      this.#collector.attach(this.#consumer.group);
    } catch (error) {
      // Only a consumer of another protocol can be exclusive: nats-server has no words for it.
      if (!(error instanceof BrokerError)) throw error;
      this.#say(statuses.consumerIsExclusive);
    }
  }

  /** `max_bytes` counts subject, ack subject, headers and payload. */
  readonly #sizeOf = (delivery: Delivery): number =>
    this.#context.deliveries.measure(this.#consumer, delivery);

  collected(delivery: Delivery): number {
    const bytes = this.#context.deliveries.send(this.#consumer, delivery, this.#target);
    if (this.#options.heartbeatMs > 0) this.#lastSentMs = this.#context.clock.monotonic();
    if (this.#options.noWait) this.#collector.answerWhenIdle();
    this.#lookForCongestion();
    return bytes;
  }

  /** The client is pinned now, unless it did not ask for it. Its further requests carry the pin id. */
  activated(): void {
    if (this.#collector.presence !== 'pulls' || this.#collector.member !== undefined) return;
    if (this.#options.priority) this.#collector.joinMember(freshId(this.#context.random));
  }

  /** The client is pinned no longer: this request ends, and the next one is without the id. */
  deactivated(): void {
    if (this.#collector.presence !== 'pulls') return;
    const { maxBytes } = this.#options;
    this.#say(wrongPinStatus(this.#collector.messagesLeft, maxBytes > 0 ? this.#collector.bytesLeft : 0));
    this.#collector.end();
  }

  completed(end: CollectorEnd): void {
    const status = this.#statusOf(end);
    if (status) this.#say(status);
    this.#heartbeat?.cancel();
    this.#target.close();
    this.#consumer.waiting.delete(this);
  }

  #statusOf(end: CollectorEnd): Buffer | undefined {
    const messages = this.#collector.messagesLeft;
    const bytes = this.#options.maxBytes > 0 ? this.#collector.bytesLeft : 0;
    switch (end) {
      case 'full':
        return bytes > 0 ? batchCompletedStatus(0, bytes) : undefined;
      case 'idle':
        return statuses.noMessages;
      case 'expired':
        return requestTimeoutStatus(messages, bytes);
      case 'too-large':
        return exceedsMaxBytesStatus(messages, bytes);
      case 'closed':
        return serverShutdownStatus(messages, bytes);
      case 'group-deleted':
      case 'topic-deleted':
        return statuses.consumerDeleted;
      case 'enough':
      case 'left':
        return undefined;
      default:
        return end satisfies never;
    }
  }

  serverStops(): void {
    this.#collector.end('closed');
  }

  #say(status: Buffer): void {
    this.#context.outlet.status(this.#reply, status);
  }

  /** Pauses a slow reader until it has caught up. */
  #lookForCongestion(): void {
    if (!this.#target.congested) return;
    this.#collector.hold();
    this.#target.whenDrained(() => this.#collector.resume());
  }

  /** Sends a status if the client has received nothing for `heartbeatMs`. */
  readonly #beat = (): void => {
    const { clock } = this.#context;
    const { heartbeatMs } = this.#options;
    const silentMs = clock.monotonic() - this.#lastSentMs;
    if (silentMs >= heartbeatMs) {
      this.#say(this.#consumer.heartbeatStatus());
      this.#lastSentMs = clock.monotonic();
      this.#heartbeat = clock.setTimer(heartbeatMs, this.#beat);
    } else {
      this.#heartbeat = clock.setTimer(heartbeatMs - silentMs, this.#beat);
    }
  };
}

/** `CONSUMER.MSG.NEXT.<stream>.<consumer>`: answers with messages, or with a status if there can be none. */
export function pull(
  context: Context,
  consumer: StreamConsumer,
  reply: string | undefined,
  body: Uint8Array,
): void {
  if (reply === undefined) return;
  const say = (status: Buffer): void => context.outlet.status(reply, status);
  const { config } = consumer;
  // A group that commits offsets (Kafka's) delivers nothing. Clients know this status, and give up.
  if (config.deliver_subject !== undefined || consumer.group.isCommitted)
    return say(statuses.consumerIsPushBased);
  let options: PullOptions;
  try {
    options = decodePullBody(body);
  } catch (error) {
    if (error instanceof ApiError) return say(badRequestStatus(error.message));
    throw error;
  }
  if (config.max_batch !== undefined && options.batch > config.max_batch) {
    return say(exceededStatus('MaxRequestBatch', config.max_batch));
  }
  if (config.max_expires !== undefined && options.expiresMs * nanosPerMs > config.max_expires) {
    return say(exceededStatus('MaxRequestExpires', durationText(config.max_expires)));
  }
  if (config.max_bytes !== undefined && options.maxBytes > config.max_bytes) {
    return say(exceededStatus('MaxRequestMaxBytes', config.max_bytes));
  }
  const refusal = refusalOfPull(consumer, options.priority, options);
  if (refusal) return say(refusal);
  if (options.noWait && consumer.waiting.size > 0) {
    let asked = 0;
    for (const request of consumer.waiting) asked += request.left;
    const { deliverable } = consumer.group;
    if (deliverable > 0 && deliverable < asked) return say(statuses.requestsPending);
  }
  const isFull = context.broker.budgets.refusal('consumers') !== undefined;
  if (isFull || consumer.waiting.size >= Math.min(config.max_waiting ?? Infinity, waitingMax)) {
    // With heartbeats the client notices by itself; an answer would make it repeat the request at once.
    if (options.heartbeatMs === 0) say(statuses.exceededMaxWaiting);
    return;
  }
  new PullRequest(context, consumer, reply, options).start();
}
