import type { Uuid } from '../../../../wire/kafka/index.ts';
import type { PatternTopics } from './pattern-topics.ts';

/** A topic as groups see it. */
export interface TopicView {
  readonly id: Uuid;
  /** Topics created later have higher numbers. */
  readonly number: number;
  readonly name: string;
  readonly partitions: number;
}

/** The broker's topics as groups see them. */
export interface TopicsView {
  byName(name: string): TopicView | undefined;
  /** The topics with a higher number than `after`. */
  all(after: number): Iterable<TopicView>;
}

/** Decides which topics a member may know of. */
export interface TopicFilter {
  sees(name: string): boolean;
}

/** The topics that a member subscribes to. */
export interface Subscription {
  readonly id: string;
  readonly topicNames: readonly string[];
  readonly pattern?: PatternTopics | undefined;
  /** Limits the topics that the pattern matches; undefined: all of them. */
  readonly filter?: TopicFilter | undefined;
}

/** The topics that members read, as of one moment. */
export class SubscribedTopics {
  /** Number of partitions by topic. */
  readonly partitions: Map<Uuid, number> = new Map();
  /** Topics of each member. */
  readonly byMember: Map<string, ReadonlySet<Uuid>> = new Map();
  /**
   * Equal for the same topics with the same numbers of partitions, and the same topics found by each pattern.
   */
  readonly fingerprint: string;

  constructor(members: Iterable<Subscription>, topics: TopicsView) {
    const byPattern = new Map<string, readonly TopicView[]>();
    /** The topics found by each pattern, for the fingerprint. */
    const found = new Set<string>();
    const filters = new Map<TopicFilter | undefined, number>();
    /** Members with the same subscription, which is the usual case, share one set. */
    const bySubscription = new Map<string, ReadonlySet<Uuid>>();
    for (const { id, topicNames, pattern, filter: given } of members) {
      const filter = pattern && given;
      if (!filters.has(filter)) filters.set(filter, filters.size);
      const subscription = `${filters.get(filter)} ${pattern?.text ?? ''}\n${topicNames.join('\n')}`;
      const same = bySubscription.get(subscription);
      if (same) {
        this.byMember.set(id, same);
        continue;
      }
      const wanted = new Set<Uuid>();
      bySubscription.set(subscription, wanted);
      const want = (topic: TopicView): void => {
        wanted.add(topic.id);
        this.partitions.set(topic.id, topic.partitions);
      };
      for (const name of topicNames) {
        const topic = topics.byName(name);
        if (topic) want(topic);
      }
      if (pattern) {
        const known = byPattern.get(pattern.text) ?? pattern.found();
        byPattern.set(pattern.text, known);
        const seen = filter ? known.filter(({ name }) => filter.sees(name)) : known;
        found.add(`${pattern.text}\n${seen.map((topic) => topic.id).join(' ')}`);
        for (const topic of seen) want(topic);
      }
      this.byMember.set(id, wanted);
    }
    const counts = [...this.partitions].map(([id, count]) => `${id} ${count}`);
    this.fingerprint = [...counts.sort(), ...[...found].sort()].join('\n');
  }
}
