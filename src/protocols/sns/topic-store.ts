import type { Attributes } from '../../broker/index.ts';

/** Texts by name, as they are kept. */
export interface Texts {
  readonly [name: string]: string;
}

/** A topic as it is kept. */
export interface StoredTopic {
  /** The attributes that clients have set, as they gave them. */
  readonly attributes: Texts;
  readonly tags: Texts;
}

/** A subscription as it is kept. */
export interface StoredSubscription {
  /** The ARN of a queue. */
  readonly endpoint: string;
  readonly attributes: Texts;
}

/** Where a subscription is kept. */
export interface KeptSubscription {
  readonly topic: string;
  readonly id: string;
  readonly stored: StoredSubscription;
}

const protocol = 'sns';
const topicPrefix = 'topic ';
const subscriptionPrefix = 'subscription ';

/**
 * The store of topics and subscriptions: an attribute of the broker for each, as exchanges and bindings of
 * AMQP are kept. What is kept in one synchronous run is in one commit.
 */
export class TopicStore {
  readonly #attributes: Attributes;

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
  }

  /** Resolves when the topic is on disk. */
  keepTopic(name: string, topic: StoredTopic | undefined): Promise<void> {
    return this.#attributes.set(protocol, topicPrefix + name, topic);
  }

  /** Resolves when the subscription is on disk. Undefined: it is no more. */
  keepSubscription(topic: string, id: string, stored: StoredSubscription | undefined): Promise<void> {
    // Neither a topic nor an id has a blank.
    return this.#attributes.set(protocol, `${subscriptionPrefix}${topic} ${id}`, stored);
  }

  topics(): [name: string, topic: StoredTopic][] {
    return this.#values<StoredTopic>(topicPrefix);
  }

  subscriptions(): KeptSubscription[] {
    return this.#values<StoredSubscription>(subscriptionPrefix).map(([name, stored]) => {
      const [topic = '', id = ''] = name.split(' ');
      return { topic, id, stored };
    });
  }

  #values<T>(prefix: string): [name: string, value: T][] {
    return Array.from(this.#attributes.names(protocol))
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), this.#attributes.get(protocol, name) as T]);
  }
}
