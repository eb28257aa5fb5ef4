import type { Topic, TopicGroup } from './topics/topic.ts';

/**
 * The group of a queue that protocols without groups share: consumers of AMQP and SQS are consumers of this
 * group.
 */
export const defaultGroup = 'default';

/** A queue is a topic and the group that takes its messages. */
export interface Queue {
  readonly topic: Topic;
  readonly group: TopicGroup;
}
