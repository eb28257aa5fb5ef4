import type { Group } from '../../../broker/index.ts';
import type { Timer } from '../../../util/index.ts';
import { AckSamples, samplePercent } from './ack-samples.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { consumerConfigOf } from './consumer-group.ts';
import type { Context } from './context.ts';
import { assetName } from './names.ts';
import type { PullRequest } from './pull-request.ts';
import { PushDelivery } from './push-delivery.ts';
import { idleHeartbeatStatus, statuses } from './status.ts';
import type { Stream } from './stream.ts';

/** How often a no_wait request looks again whether there is nothing left for it, should no delivery have told it. */
const idleCheckMs = 100;

/** A consumer of a stream is a group as NATS clients see it; pull requests and push subscriptions are the consumers of that group. */
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
  #samples: AckSamples | undefined = undefined;
  #push: PushDelivery | undefined = undefined;
  #idleCheckPlanned = false;
  #idleTimer: Timer | undefined = undefined;

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

  /** Measures its acks, if that was asked for. */
  get samples(): AckSamples | undefined {
    return this.#samples;
  }

  /** What delivers to the deliver subject, if it is a push consumer. */
  get push(): PushDelivery | undefined {
    return this.#push;
  }

  /** The group has a new configuration. */
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
    const percent = samplePercent(this.#config.sample_freq);
    this.#samples = percent > 0 ? new AckSamples(this.#context, this, percent) : undefined;
  }

  deleted(): void {
    this.#push?.stop();
    this.#push = undefined;
    this.#idleTimer?.cancel();
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

  // ---- no_wait

  /** Ends the no_wait requests once this round of deliveries leaves nothing for them. */
  watchIdle(): void {
    if (this.#idleCheckPlanned) return;
    this.#idleCheckPlanned = true;
    // The group delivers in deferred work that was asked for before this.
    this.#context.clock.defer(this.#endIdle);
  }

  readonly #endIdle = (): void => {
    this.#idleCheckPlanned = false;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    const ending = [...this.waiting].filter((request) => request.endsWhenIdle);
    if (ending.length === 0) return;
    if (this.group.deliverable === 0) {
      for (const request of ending) request.endWith(statuses.noMessages);
      return;
    }
    // What there is comes from disk, or the reader is behind: asked again after the next delivery, or soon.
    this.#idleTimer = this.#context.clock.setTimer(idleCheckMs, this.#endIdle);
  };
}
