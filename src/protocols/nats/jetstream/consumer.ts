import type { Group } from '../../../broker/index.ts';
import { AckSamples, samplePercent } from './ack-samples.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { consumerConfigOf } from './consumer-group.ts';
import type { Context } from './context.ts';
import { assetName } from './names.ts';
import type { PullRequest } from './pull-request.ts';
import { PushDelivery } from './push-delivery.ts';
import { idleHeartbeatStatus } from './status.ts';
import type { Stream } from './stream.ts';

/**
 * A consumer of a stream is a group as NATS clients see it. Pull requests and push subscriptions are the
 * consumers of that group.
 */
export class StreamConsumer {
  readonly stream: Stream;
  readonly group: Group;
  readonly name: string;
  /** `$JS.ACK.<stream>.<consumer>.` */
  readonly ackPrefix: Buffer;
  /** Pull requests that wait for messages. */
  readonly waiting: Set<PullRequest> = new Set();
  readonly #context: Context;
  #config: ConsumerConfig;
  #headersOnly = false;
  #isPinning = false;
  #samples: AckSamples | undefined = undefined;
  #push: PushDelivery | undefined = undefined;

  constructor(context: Context, stream: Stream, group: Group) {
    this.#context = context;
    this.stream = stream;
    this.group = group;
    this.name = assetName(group.name);
    this.ackPrefix = Buffer.from(`$JS.ACK.${stream.name}.${this.name}.`);
    this.#config = consumerConfigOf(group);
    this.#readConfig();
    this.#startPush();
  }

  get config(): ConsumerConfig {
    return this.#config;
  }

  get headersOnly(): boolean {
    return this.#headersOnly;
  }

  /** Whether its priority policy is `pinned_client`. */
  get isPinning(): boolean {
    return this.#isPinning;
  }

  /** Measures the acks of this consumer, if its configuration says so. */
  get samples(): AckSamples | undefined {
    return this.#samples;
  }

  /** Delivers to the deliver subject, if this is a push consumer. */
  get push(): PushDelivery | undefined {
    return this.#push;
  }

  /** To be called when the group has a new configuration. */
  configured(): void {
    const { deliver_subject: before } = this.#config;
    this.#config = consumerConfigOf(this.group);
    this.#readConfig();
    if (this.#config.deliver_subject === before) return;
    this.#push?.stop();
    this.#startPush();
  }

  #readConfig(): void {
    this.#headersOnly = this.#config.headers_only === true;
    this.#isPinning = this.#config.priority_policy === 'pinned_client';
    const percent = samplePercent(this.#config.sample_freq);
    this.#samples = percent > 0 ? new AckSamples(this.#context, this, percent) : undefined;
  }

  deleted(): void {
    this.#push?.stop();
    this.#push = undefined;
  }

  #startPush(): void {
    this.#push = undefined;
    if (this.#config.deliver_subject === undefined) return;
    this.#push = new PushDelivery(this.#context, this, this.#config.deliver_subject);
    this.#push.start();
  }

  heartbeatStatus(stalled?: string): Buffer {
    const { deliverySequence, cursor } = this.group.info();
    return idleHeartbeatStatus(deliverySequence, cursor, stalled);
  }
}
