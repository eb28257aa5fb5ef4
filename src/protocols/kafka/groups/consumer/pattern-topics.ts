import type { TurnTaker } from '../../../connections/index.ts';
import type { TopicView, TopicsView } from './subscribed-topics.ts';
import { TopicPattern } from './topic-pattern.ts';

/**
 * The topics that a pattern matches. Each topic is matched once and the result is kept; later calls match
 * only newer topics. They can also be matched ahead of time, in turns.
 */
export class PatternTopics {
  readonly #pattern: TopicPattern;
  readonly #topics: TopicsView;
  readonly #topicsMax: number;
  /** Names of the topics that match. */
  readonly #names = new Set<string>();
  /** The number of the last topic that was matched. */
  #last = -1;

  /** Throws a KafkaError of code INVALID_REGULAR_EXPRESSION. */
  constructor(text: string, topics: TopicsView, topicsMax: number) {
    this.#pattern = new TopicPattern(text);
    this.#topics = topics;
    this.#topicsMax = topicsMax;
  }

  get text(): string {
    return this.#pattern.text;
  }

  /**
   * Matches the topics that are new since the last call, in turns. If `isNew`, rejects with a KafkaError when
   * that takes far too many steps.
   */
  async look(session: TurnTaker, isNew: boolean): Promise<void> {
    let last = this.#last;
    // Topics created meanwhile come at the end.
    for (const topic of this.#topics.all(last)) {
      this.#match(topic);
      last = Math.max(last, topic.number);
      if (isNew) this.#pattern.checkCost();
      const rest = session.rest();
      if (!rest) continue;
      await rest;
      if (session.closed) return;
    }
    this.#last = Math.max(this.#last, last);
  }

  /** Whether there are topics that were not matched yet. */
  get isBehind(): boolean {
    for (const _ of this.#topics.all(this.#last)) return true;
    return false;
  }

  /** All matching topics as they are now, up to the maximum that one member may read. */
  found(): readonly TopicView[] {
    let last = this.#last;
    for (const topic of this.#topics.all(last)) {
      this.#match(topic);
      last = Math.max(last, topic.number);
    }
    this.#last = last;
    const found: TopicView[] = [];
    for (const name of this.#names) {
      const topic = this.#topics.byName(name);
      if (!topic) this.#names.delete(name);
      else if (found.length < this.#topicsMax) found.push(topic);
    }
    return found;
  }

  #match({ name }: TopicView): void {
    if (this.#pattern.matches(name)) this.#names.add(name);
  }
}
