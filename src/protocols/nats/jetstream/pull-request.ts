import type { Consumer, ConsumerEnd, Delivery } from '../../../broker/index.ts';
import type { Timer } from '../../../util/index.ts';
import type { StreamConsumer } from './consumer.ts';
import type { Context, LiveTarget } from './context.ts';
import { ApiError } from './errors.ts';
import { decodePullBody } from './pull-body.ts';
import {
  badRequestStatus,
  batchCompletedStatus,
  exceededStatus,
  exceedsMaxBytesStatus,
  requestTimeoutStatus,
  serverShutdownStatus,
  statuses,
} from './status.ts';
import { durationText, nanosPerMs } from './time.ts';

/** Requests that wait at one consumer at most, whatever its max_waiting. */
const waitingMax = 16_384;

/** What a pull request asks for. Times in milliseconds; 0 = not asked for. */
export interface PullOptions {
  readonly batch: number;
  readonly maxBytes: number;
  readonly expiresMs: number;
  readonly heartbeatMs: number;
  readonly noWait: boolean;
}

/**
 * A pull request is one `CONSUMER.MSG.NEXT`: a consumer of its group with a finite credit, from the request until it is filled, expires,
 * or the inbox it answers to is gone.
 *
 * Requests of one consumer take turns, one message each, as nats-server has it.
 */
export class PullRequest implements Consumer {
  readonly #context: Context;
  readonly #consumer: StreamConsumer;
  readonly #target: LiveTarget;
  readonly #reply: string;
  readonly #options: PullOptions;
  readonly #bounded: boolean;
  #left: number;
  #bytesLeft: number;
  #delivered = 0;
  #blocked = false;
  #done = false;
  #lastSentMs: number;
  #expiry: Timer | undefined = undefined;
  #heartbeat: Timer | undefined = undefined;

  constructor(context: Context, consumer: StreamConsumer, reply: string, options: PullOptions) {
    this.#context = context;
    this.#consumer = consumer;
    this.#reply = reply;
    this.#options = options;
    this.#target = context.router.target(reply);
    this.#left = options.batch;
    this.#bounded = options.maxBytes > 0;
    this.#bytesLeft = options.maxBytes;
    this.#lastSentMs = context.clock.monotonic();
  }

  /** Messages it still takes. */
  get left(): number {
    return this.#left;
  }

  /** Ends as soon as there is nothing to deliver; one that also expires waits for the first message. */
  get endsWhenIdle(): boolean {
    return this.#options.noWait && (this.#options.expiresMs === 0 || this.#delivered > 0);
  }

  /** Joins the group. Nobody on the inbox: there is nothing to do. */
  start(): void {
    if (!this.#target.present) return;
    const { clock } = this.#context;
    const { expiresMs, heartbeatMs } = this.#options;
    this.#consumer.waiting.add(this);
    this.#target.watch((present) => {
      if (!present) this.#end();
    });
    if (expiresMs > 0) this.#expiry = clock.setTimer(expiresMs, () => this.endWith(this.#timeoutStatus()));
    if (heartbeatMs > 0) this.#heartbeat = clock.setTimer(heartbeatMs, this.#beat);
    this.#lookForCongestion();
    this.#consumer.group.attach(this);
    if (this.#options.noWait) this.#consumer.watchIdle();
  }

  // ---- Consumer

  get credit(): number {
    return this.#blocked ? 0 : this.#left;
  }

  get creditBytes(): number {
    return this.#bounded ? this.#bytesLeft : Infinity;
  }

  /** `max_bytes` counts subject, ack subject, headers and payload. */
  sizeOf(delivery: Delivery): number {
    return this.#bounded ? this.#context.deliveries.measure(this.#consumer, delivery) : 0;
  }

  receive(delivery: Delivery): void {
    const bytes = this.#context.deliveries.send(this.#consumer, delivery, this.#target);
    this.#delivered++;
    this.#left--;
    if (this.#options.heartbeatMs > 0) this.#lastSentMs = this.#context.clock.monotonic();
    if (this.#bounded) {
      this.#bytesLeft = Math.max(0, this.#bytesLeft - bytes);
      if (this.#bytesLeft === 0) this.#left = 0;
    }
    if (this.#left === 0) {
      if (this.#bytesLeft > 0) this.#say(batchCompletedStatus(0, this.#bytesLeft));
      this.#end();
    } else {
      this.#lookForCongestion();
      if (this.#options.noWait) this.#consumer.watchIdle();
    }
  }

  refused(): void {
    this.endWith(exceedsMaxBytesStatus(this.#left, this.#bytesLeft));
  }

  ended(reason: ConsumerEnd): void {
    if (reason === 'closed') this.serverStops();
    else this.endWith(statuses.consumerDeleted);
  }

  serverStops(): void {
    this.endWith(serverShutdownStatus(this.#left, this.#bytesLeft));
  }

  // ---- its end

  /** Says why, and leaves. */
  endWith(status: Buffer): void {
    if (this.#done) return;
    this.#say(status);
    this.#end();
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    this.#left = 0;
    this.#expiry?.cancel();
    this.#heartbeat?.cancel();
    this.#target.close();
    this.#consumer.waiting.delete(this);
    this.#consumer.group.detach(this);
  }

  #timeoutStatus(): Buffer {
    return requestTimeoutStatus(this.#left, this.#bytesLeft);
  }

  #say(status: Buffer): void {
    this.#context.outlet.status(this.#reply, status);
  }

  /** A reader that is behind gets no more until it caught up. */
  #lookForCongestion(): void {
    if (!this.#target.congested) return;
    this.#blocked = true;
    this.#target.whenDrained(() => {
      this.#blocked = false;
      if (!this.#done) this.#consumer.group.wake();
    });
  }

  /** The client wants to hear something every `heartbeatMs`. */
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

/** `CONSUMER.MSG.NEXT.<stream>.<consumer>`: answers with messages, or with a status when it cannot. */
export function pull(
  context: Context,
  consumer: StreamConsumer,
  reply: string | undefined,
  body: Uint8Array,
): void {
  if (reply === undefined) return;
  const say = (status: Buffer): void => context.outlet.status(reply, status);
  const { config } = consumer;
  // A group that commits offsets (Kafka's) delivers nothing: clients know this answer, and give up.
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
  if (options.noWait && consumer.waiting.size > 0) {
    let asked = 0;
    for (const request of consumer.waiting) asked += request.left;
    const { deliverable } = consumer.group;
    if (deliverable > 0 && deliverable < asked) return say(statuses.requestsPending);
  }
  if (consumer.waiting.size >= Math.min(config.max_waiting ?? Infinity, waitingMax)) {
    // With heartbeats the client notices by itself; an answer would make it ask again at once, and again.
    if (options.heartbeatMs === 0) say(statuses.exceededMaxWaiting);
    return;
  }
  new PullRequest(context, consumer, reply, options).start();
}
