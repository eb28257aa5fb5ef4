import { randomUUID } from 'node:crypto';
import type { Broker } from '../../broker/index.ts';
import { AwsError } from '../../wire/aws/index.ts';
import type { SnsLimits } from './limits.ts';
import { RecentMessages } from './recent-messages.ts';
import { SnsTopic } from './sns-topic.ts';
import { Subscription } from './subscription.ts';
import { type StoredSubscription, type StoredTopic, type Texts, TopicStore } from './topic-store.ts';

/**
 * The topics of SNS and their subscriptions. A change is seen at once, and is on disk when its promise
 * resolves.
 */
export class SnsTopics {
  readonly #store: TopicStore;
  readonly #limits: SnsLimits;
  readonly #byName = new Map<string, SnsTopic>();
  #names: readonly string[] | undefined = undefined;

  /** Reads what is kept. */
  constructor(broker: Broker, limits: SnsLimits) {
    this.#limits = limits;
    this.#store = new TopicStore(broker.attributes);
    for (const [name, stored] of this.#store.topics()) this.#byName.set(name, this.#topicOf(name, stored));
    for (const { topic, id, stored } of this.#store.subscriptions())
      this.#byName.get(topic)?.subscriptions.set(id, new Subscription(id, stored));
  }

  get(name: string): SnsTopic | undefined {
    return this.#byName.get(name);
  }

  /** Throws NotFound. */
  byName(name: string): SnsTopic {
    const topic = this.#byName.get(name);
    if (!topic) throw new AwsError('NotFound', 'Topic does not exist');
    return topic;
  }

  /** The names of all topics, in order. */
  names(): readonly string[] {
    return (this.#names ??= Array.from(this.#byName.keys()).sort());
  }

  async create(name: string, stored: StoredTopic): Promise<SnsTopic> {
    const { topicsMax } = this.#limits;
    if (this.#byName.size >= topicsMax)
      throw new AwsError('TopicLimitExceeded', `There are ${topicsMax} topics already.`);
    const topic = this.#topicOf(name, stored);
    const kept = this.#store.keepTopic(name, stored);
    this.#byName.set(name, topic);
    this.#names = undefined;
    try {
      await kept;
    } catch (error) {
      if (this.#byName.get(name) === topic) this.#byName.delete(name);
      this.#names = undefined;
      throw error;
    }
    return topic;
  }

  /** Deletes a topic with its subscriptions, in one commit. */
  async delete(topic: SnsTopic): Promise<void> {
    this.#byName.delete(topic.name);
    this.#names = undefined;
    await Promise.all([
      this.#store.keepTopic(topic.name, undefined),
      ...Array.from(topic.subscriptions.keys(), (id) =>
        this.#store.keepSubscription(topic.name, id, undefined),
      ),
    ]);
  }

  async setAttributes(topic: SnsTopic, attributes: Texts): Promise<void> {
    const before = topic.attributes;
    topic.attributes = attributes;
    try {
      await this.#store.keepTopic(topic.name, topic.stored);
    } catch (error) {
      topic.attributes = before;
      throw error;
    }
  }

  async setTags(topic: SnsTopic, tags: Texts): Promise<void> {
    const before = topic.tags;
    topic.tags = tags;
    try {
      await this.#store.keepTopic(topic.name, topic.stored);
    } catch (error) {
      topic.tags = before;
      throw error;
    }
  }

  /** Throws SubscriptionLimitExceeded and FilterPolicyLimitExceeded. */
  async subscribe(topic: SnsTopic, stored: StoredSubscription): Promise<Subscription> {
    const { subscriptionsMax, subscriptionsOfFifoMax } = this.#limits;
    const max = topic.isFifo ? subscriptionsOfFifoMax : subscriptionsMax;
    if (topic.subscriptions.size >= max)
      throw new AwsError('SubscriptionLimitExceeded', `The topic has ${max} subscriptions already.`);
    if (stored.attributes['FilterPolicy'] !== undefined) this.#checkFilters(topic);
    const subscription = new Subscription(randomUUID(), stored);
    const kept = this.#store.keepSubscription(topic.name, subscription.id, stored);
    topic.subscriptions.set(subscription.id, subscription);
    try {
      await kept;
    } catch (error) {
      topic.subscriptions.delete(subscription.id);
      throw error;
    }
    return subscription;
  }

  async unsubscribe(topic: SnsTopic, { id }: Subscription): Promise<void> {
    topic.subscriptions.delete(id);
    await this.#store.keepSubscription(topic.name, id, undefined);
  }

  /** Throws FilterPolicyLimitExceeded. */
  async setSubscriptionAttributes(
    topic: SnsTopic,
    subscription: Subscription,
    attributes: Texts,
  ): Promise<void> {
    if (attributes['FilterPolicy'] !== undefined && !subscription.filter) this.#checkFilters(topic);
    const { endpoint, id, attributes: before } = subscription;
    subscription.attributes = attributes;
    try {
      await this.#store.keepSubscription(topic.name, id, { endpoint, attributes });
    } catch (error) {
      subscription.attributes = before;
      throw error;
    }
  }

  #topicOf(name: string, stored: StoredTopic): SnsTopic {
    const { deduplicationMs, deduplicationIdsMax } = this.#limits;
    return new SnsTopic(name, stored, new RecentMessages(deduplicationMs, deduplicationIdsMax));
  }

  #checkFilters({ subscriptions }: SnsTopic): void {
    const { filterPoliciesMax } = this.#limits;
    let filters = 0;
    for (const { filter } of subscriptions.values()) if (filter) filters++;
    if (filters >= filterPoliciesMax)
      throw new AwsError(
        'FilterPolicyLimitExceeded',
        `The topic has ${filterPoliciesMax} subscriptions with filter policies already.`,
      );
  }
}
