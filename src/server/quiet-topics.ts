import type { Topic } from '../broker/index.ts';

/** A topic without a change is looked at once in so many rounds all the same. */
const passedOverMax = 11;

interface Mark {
  readonly count: number;
  readonly consumers: number;
  passedOver: number;
}

/**
 * The quiet topics of a kind of round are those in which nothing has happened since the round found nothing
 * to do there: no message came, went, or was delivered or answered, and no consumer came or left. A round
 * passes over them, so that its cost follows what happens and not how many topics there are. What has no
 * count, such as a group that is moved, is seen some rounds later: each topic is looked at now and then.
 */
export class QuietTopics {
  readonly #marks = new WeakMap<Topic, Mark>();

  /** Whether the round may pass over the topic. */
  has(topic: Topic): boolean {
    const mark = this.#marks.get(topic);
    if (!mark || mark.passedOver >= passedOverMax) return false;
    if (mark.count !== countOf(topic) || mark.consumers !== consumersOf(topic)) return false;
    mark.passedOver++;
    return true;
  }

  /** The round has looked at the topic; `isQuiet`: it has found nothing to do there. */
  note(topic: Topic, isQuiet: boolean): void {
    if (!isQuiet) this.#marks.delete(topic);
    else
      this.#marks.set(topic, {
        count: countOf(topic),
        consumers: consumersOf(topic),
        // Not all of many topics are due in the same round.
        passedOver: this.#marks.has(topic) ? 0 : topic.id % passedOverMax,
      });
  }
}

/** Counters that only grow, so their sum changes with each of them. */
function countOf(topic: Topic): number {
  let count = topic.inRate.count + topic.removedRate.count;
  for (const { deliverRate, ackRate } of topic.groups.values())
    count += 1 + deliverRate.count + ackRate.count;
  return count;
}

function consumersOf(topic: Topic): number {
  let consumers = 0;
  for (const group of topic.groups.values()) consumers += group.consumers;
  return consumers;
}
