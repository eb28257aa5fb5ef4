import { BrokerError, type Consumer, type Delivery } from '../../../broker/index.ts';
import type { Timer } from '../../../util/index.ts';
import type { StreamConsumer } from './consumer.ts';
import type { Context, LiveTarget } from './context.ts';
import { statuses } from './status.ts';
import { msOfNanos } from './time.ts';

/** The most unanswered bytes under flow control; the window starts at a sixteenth. */
const flowControlBytesMax = 32 * 1024 * 1024;
const flowControlBytesStart = flowControlBytesMax / 16;
/** How often a subscriber asks again for a group that another consumer has for itself. */
const exclusiveRetryMs = 1000;

/**
 * A push delivery is the group's consumer for one push-based NATS consumer. It takes messages while the
 * deliver subject has a subscriber, as fast as the subscriber's connection, flow control and rate limit
 * allow.
 */
export class PushDelivery implements Consumer {
  readonly subject: string;
  readonly #context: Context;
  readonly #consumer: StreamConsumer;
  readonly #target: LiveTarget;
  readonly #heartbeatMs: number;
  readonly #flowControl: boolean;
  readonly #bytesPerMs: number;
  #bound = false;
  #stopped = false;
  #blocked = false;
  #heartbeat: Timer | undefined = undefined;
  #retry: Timer | undefined = undefined;
  #lastSentMs = 0;

  /** The bytes sent and not answered yet. Below: the size of their window, and the request under way. */
  #unansweredBytes = 0;
  #windowBytes = flowControlBytesStart;
  #requestSubject: string | undefined = undefined;
  #requestBytes = 0;
  #requestCount = 0;

  /** When the rate limit allows the next message, on the monotonic clock. */
  #nextSendMs = 0;
  #rateTimer: Timer | undefined = undefined;

  constructor(context: Context, consumer: StreamConsumer, subject: string) {
    this.#context = context;
    this.#consumer = consumer;
    this.subject = subject;
    this.#target = context.router.target(subject);
    const { config } = consumer;
    this.#heartbeatMs = msOfNanos(config.idle_heartbeat ?? 0);
    this.#flowControl = config.flow_control === true;
    this.#bytesPerMs = (config.rate_limit_bps ?? 0) / 8 / 1000;
  }

  /** Whether the deliver subject has a subscriber. */
  get bound(): boolean {
    return this.#bound;
  }

  get label(): string {
    return this.subject;
  }

  get connection(): number | undefined {
    return this.#target.connection;
  }

  /** The subject of the flow control request that waits for an answer, if there is one. */
  get requestSubject(): string | undefined {
    return this.#requestSubject;
  }

  start(): void {
    this.#target.watch(this.#interestChanged);
    this.#interestChanged(this.#target.present);
  }

  stop(): void {
    this.#stopped = true;
    this.#interestChanged(false);
    this.#target.close();
  }

  readonly #interestChanged = (present: boolean): void => {
    if (present === this.#bound) return;
    this.#bound = present;
    if (present) {
      this.#unansweredBytes = 0;
      this.#requestSubject = undefined;
      this.#windowBytes = flowControlBytesStart;
      this.#lastSentMs = this.#context.clock.monotonic();
      if (this.#heartbeatMs > 0)
        this.#heartbeat = this.#context.clock.setTimer(this.#heartbeatMs, this.#beat);
      this.#lookForCongestion();
      this.#attach();
      return;
    }
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    this.#rateTimer?.cancel();
    this.#rateTimer = undefined;
    this.#consumer.group.detach(this);
  };

  /** While the group has an exclusive consumer, of another protocol, the subscriber waits for its end. */
  #attach(): void {
    try {
      this.#consumer.group.attach(this);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.#retry = this.#context.clock.setTimer(exclusiveRetryMs, () => this.#attach());
    }
  }

  // ---- Consumer

  get credit(): number {
    if (this.#blocked || this.#rateTimer !== undefined) return 0;
    return this.#flowControl && this.#unansweredBytes > this.#windowBytes ? 0 : 1;
  }

  get creditBytes(): number {
    return Infinity;
  }

  receive(delivery: Delivery): void {
    const bytes = this.#context.deliveries.send(this.#consumer, delivery, this.#target);
    if (this.#heartbeatMs > 0) this.#lastSentMs = this.#context.clock.monotonic();
    if (this.#flowControl) this.#countUnanswered(bytes);
    if (this.#bytesPerMs > 0) this.#pace(bytes);
    this.#lookForCongestion();
  }

  ended(): void {
    this.#bound = false;
    this.#retry?.cancel();
    this.#heartbeat?.cancel();
    this.#rateTimer?.cancel();
    if (!this.#stopped) this.#target.close();
    this.#stopped = true;
  }

  #lookForCongestion(): void {
    if (this.#blocked || !this.#target.congested) return;
    this.#blocked = true;
    this.#target.whenDrained(() => {
      this.#blocked = false;
      if (this.#bound) this.#consumer.group.wake(this);
    });
  }

  /** Applies rate_limit_bps: each message takes the time of its bytes. */
  #pace(bytes: number): void {
    const { clock } = this.#context;
    const nowMs = clock.monotonic();
    this.#nextSendMs = Math.max(this.#nextSendMs, nowMs) + bytes / this.#bytesPerMs;
    if (this.#nextSendMs - nowMs < 1) return;
    this.#rateTimer = clock.setTimer(this.#nextSendMs - nowMs, () => {
      this.#rateTimer = undefined;
      if (this.#bound) this.#consumer.group.wake(this);
    });
  }

  // ---- flow control

  /** Sends a flow control request once half of the window is used. The window doubles with each answer. */
  #countUnanswered(bytes: number): void {
    this.#unansweredBytes += bytes;
    if (this.#requestSubject !== undefined || this.#unansweredBytes <= this.#windowBytes / 2) return;
    const { stream, name } = this.#consumer;
    this.#requestSubject = `$JS.FC.${stream.name}.${name}.${++this.#requestCount}`;
    this.#requestBytes = this.#unansweredBytes;
    this.#context.outlet.status(this.subject, statuses.flowControlRequest, this.#requestSubject);
  }

  /** Called with the subscriber's answer: it has read all bytes sent before the request. */
  flowControlAnswered(subject: string): void {
    if (subject !== this.#requestSubject) return;
    this.#requestSubject = undefined;
    this.#windowBytes = Math.min(flowControlBytesMax, this.#windowBytes * 2);
    this.#unansweredBytes = Math.max(0, this.#unansweredBytes - this.#requestBytes);
    if (this.#bound) this.#consumer.group.wake(this);
  }

  // ---- heartbeat

  readonly #beat = (): void => {
    const { clock } = this.#context;
    const silentMs = clock.monotonic() - this.#lastSentMs;
    if (silentMs < this.#heartbeatMs) {
      this.#heartbeat = clock.setTimer(this.#heartbeatMs - silentMs, this.#beat);
      return;
    }
    this.#context.outlet.status(this.subject, this.#consumer.heartbeatStatus(this.#requestSubject));
    this.#lastSentMs = clock.monotonic();
    this.#heartbeat = clock.setTimer(this.#heartbeatMs, this.#beat);
  };
}
