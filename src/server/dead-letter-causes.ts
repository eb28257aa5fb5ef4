import type { Broker, DeadLetterCause, Topic } from '../broker/index.ts';

/**
 * Causes of dead letters in numbers. `topic`: the topic decided; which of its limits it was, is not counted.
 */
export type CauseCounts = { readonly [C in DeadLetterCause | 'topic']?: number };

/** The causes that made messages of a topic dead letters since the start. */
export class DeadLetterCauses {
  readonly #byTopic = new WeakMap<Topic, Map<DeadLetterCause, number>>();
  /** The last letter counted: one that goes to several topics has an event for each of them, in a row. */
  #last = '';

  constructor(broker: Broker) {
    broker.events.subscribe((event) => {
      if (event.kind !== 'dead-lettered') return;
      const { group, partition, offset, sequence } = event;
      const letter = `${group.topic.id}/${group.name}/${partition}/${offset}/${sequence}`;
      if (letter === this.#last) return;
      this.#last = letter;
      this.#add(group.topic, event.cause.split(':', 1)[0] as DeadLetterCause);
    });
  }

  /** They add up to the dead letters of the topic. */
  of(topic: Topic): CauseCounts {
    const counts = Object.fromEntries(this.#byTopic.get(topic) ?? []) as CauseCounts;
    const rest = Object.values(counts).reduce((left, count) => left - count, topic.stats().deadLettered);
    return rest > 0 ? { ...counts, topic: rest } : counts;
  }

  #add(topic: Topic, cause: DeadLetterCause): void {
    let counts = this.#byTopic.get(topic);
    if (!counts) this.#byTopic.set(topic, (counts = new Map()));
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
}
