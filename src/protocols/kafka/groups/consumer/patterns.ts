import { PatternTopics } from './pattern-topics.ts';
import type { TopicsView } from './subscribed-topics.ts';

/** Number of patterns kept for reuse. Members keep their own pattern, even if it is dropped here. */
const keptMax = 100;

/** The patterns of all groups. Members with the same pattern share the matching topics. */
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
    // The pattern used last is dropped last.
    this.#kept.delete(text);
    this.#kept.set(text, pattern);
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value!);
    return pattern;
  }
}
