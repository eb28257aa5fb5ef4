import type { Topic, TopicGroup } from './topics/topic.ts';

/**
 * The group of a queue for protocols without groups: consumers of AMQP and SQS are consumers of this group.
 */
export const defaultGroup = 'default';

/** A queue is a topic and the group that delivers its messages. */
export interface Queue {
  readonly topic: Topic;
  readonly group: TopicGroup;
}
