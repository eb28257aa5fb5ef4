import type { RecentMessages } from './recent-messages.ts';
import type { Subscription } from './subscription.ts';
import type { StoredTopic, Texts } from './topic-store.ts';

/** A topic of SNS: it stores no messages, but sends each to the queues that subscribe. */
export class SnsTopic {
  readonly name: string;
  /** The attributes that clients have set, as they gave them. */
  attributes: Texts;
  tags: Texts;
  /** By id, in the order in which they came. */
  readonly subscriptions: Map<string, Subscription> = new Map();
  readonly recent: RecentMessages;

  constructor(name: string, { attributes, tags }: StoredTopic, recent: RecentMessages) {
    this.name = name;
    this.attributes = attributes;
    this.tags = tags;
    this.recent = recent;
  }

  get isFifo(): boolean {
    return this.attributes['FifoTopic'] === 'true';
  }

  get dedupesByContent(): boolean {
    return this.attributes['ContentBasedDeduplication'] === 'true';
  }

  /** Whether a deduplication id is of the whole topic, and not of a group. */
  get dedupesByTopic(): boolean {
    return this.attributes['FifoThroughputScope'] !== 'MessageGroup';
  }

  get stored(): StoredTopic {
    return { attributes: this.attributes, tags: this.tags };
  }
}
