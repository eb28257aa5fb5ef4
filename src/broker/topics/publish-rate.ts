import { TokenBucket, type Clock } from '../../util/index.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { TopicConfig } from './topic-config.ts';

/** The part of a topic that its publish rate uses. */
interface PacedTopic {
  readonly name: string;
  readonly config: TopicConfig;
}

/**
 * The publish rate of a topic limits how many messages a second clients may publish to it, over all
 * partitions and publishers. A batch counts with all its messages. Dead letters, messages that become due and
 * messages that a schedule publishes are not limited, and use up nothing.
 */
export class PublishRate {
  readonly #topic: PacedTopic;
  readonly #clock: Clock;
  #bucket: TokenBucket | undefined = undefined;
  /** Publishes since the start that were refused, and that had to wait. */
  refused = 0;
  waited = 0;

  constructor(topic: PacedTopic, clock: Clock) {
    this.#topic = topic;
    this.#clock = clock;
  }

  /** Whether publishes beyond the rate wait for their time. */
  get makesWait(): boolean {
    return this.#bucket !== undefined && this.#topic.config.overRate === 'wait';
  }

  /** Applies the topic's configuration. A changed rate counts from now on. */
  configured(): void {
    const { publishRate } = this.#topic.config;
    const nowMs = this.#clock.monotonic();
    if (publishRate === undefined) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(publishRate, nowMs);
    else this.#bucket.change(publishRate, nowMs);
  }

  /** Why so many messages cannot be published now; undefined if they can. */
  refusalOf(count: number = 1): BrokerError | undefined {
    const retryAfterMs = this.waitMs(count);
    if (this.#bucket === undefined || retryAfterMs === 0) return undefined;
    const { perSecond, burst } = this.#bucket.limit;
    const what = `takes ${perSecond} messages a second, and ${burst} at once: try again in ${retryAfterMs} ms`;
    return topicError(this.#topic, 'rate-exceeded', what, { limit: perSecond, retryAfterMs });
  }

  /** Messages were published. */
  take(count: number = 1): void {
    this.#bucket?.take(this.#clock.monotonic(), count);
  }

  /** Milliseconds until so many messages can be published; 0 if they can be now. */
  waitMs(count: number = 1): number {
    return this.#bucket?.waitMs(this.#clock.monotonic(), count) ?? 0;
  }
}
