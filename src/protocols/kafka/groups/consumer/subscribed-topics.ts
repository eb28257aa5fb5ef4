import type { Uuid } from '../../../../wire/kafka/index.ts';
import type { TopicPattern } from './topic-pattern.ts';

/** A topic as groups see it. */
export interface TopicView {
  readonly id: Uuid;
  readonly name: string;
  readonly partitions: number;
}

/** What groups know of the broker's topics. */
export interface TopicsView {
  byName(name: string): TopicView | undefined;
  all(): Iterable<TopicView>;
}

/** What a member wants to read. */
export interface Subscription {
  readonly id: string;
  readonly topicNames: readonly string[];
  readonly pattern?: TopicPattern | undefined;
}

/** The topics that members want, as they are at one moment. */
export class SubscribedTopics {
  /** Partitions by topic. */
  readonly partitions: Map<Uuid, number> = new Map();
  /** Topics of each member. */
  readonly byMember: Map<string, ReadonlySet<Uuid>> = new Map();
  /** The same for the same topics with the same partitions, as far as patterns decide which. */
  readonly fingerprint: string;

  constructor(members: Iterable<Subscription>, topics: TopicsView, topicsMax: number) {
    const byPattern = new Map<string, readonly TopicView[]>();
    for (const { id, topicNames, pattern } of members) {
      const wanted = new Set<Uuid>();
      const want = (topic: TopicView): void => {
        wanted.add(topic.id);
        this.partitions.set(topic.id, topic.partitions);
      };
      for (const name of topicNames) {
        const topic = topics.byName(name);
        if (topic) want(topic);
      }
      if (pattern) {
        const known = byPattern.get(pattern.text) ?? matching(pattern, topics, topicsMax);
        byPattern.set(pattern.text, known);
        for (const topic of known) want(topic);
      }
      this.byMember.set(id, wanted);
    }
    const patterns = [...byPattern].map(([text, found]) => `${text}\n${found.map(({ id }) => id).join(' ')}`);
    const counts = [...this.partitions].map(([id, count]) => `${id} ${count}`);
    this.fingerprint = [...counts.sort(), ...patterns.sort()].join('\n');
  }
}

function matching(pattern: TopicPattern, topics: TopicsView, max: number): readonly TopicView[] {
  const found: TopicView[] = [];
  for (const topic of topics.all()) {
    if (found.length < max && pattern.matches(topic.name)) found.push(topic);
  }
  return found;
}
