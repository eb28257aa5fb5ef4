import { PatternTopics } from './pattern-topics.ts';
import type { TopicsView } from './subscribed-topics.ts';

/** Patterns are kept while members have them; those that nobody has yet, or any more, so many of them. */
const keptMax = 100;

/** The patterns of all groups: members with the same one share what it matches. */
export class Patterns {
  readonly #topics: TopicsView;
  readonly #topicsMax: number;
  readonly #kept = new Map<string, PatternTopics>();

  constructor(topics: TopicsView, topicsMax: number) {
    this.#topics = topics;
    this.#topicsMax = topicsMax;
  }

  /** Throws a KafkaError of code INVALID_REGULAR_EXPRESSION. */
  of(text: string): PatternTopics {
    const pattern = this.#kept.get(text) ?? new PatternTopics(text, this.#topics, this.#topicsMax);
    // The one asked for last is the last to go.
    this.#kept.delete(text);
    this.#kept.set(text, pattern);
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value!);
    return pattern;
  }
}
