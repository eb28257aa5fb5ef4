import type { Topic } from '../topics/topic.ts';
import type { Schedule } from './schedule.ts';

/**
 * Carriers are the messages that schedules live with. When a message is removed, for any reason, its schedule
 * is told.
 */
export class Carriers {
  readonly #byTopic = new Map<Topic, Map<string, Schedule>>();
  readonly #gone: (schedule: Schedule) => void;

  /** `gone` is called with a schedule whose message was removed. */
  constructor(gone: (schedule: Schedule) => void) {
    this.#gone = gone;
  }

  add(schedule: Schedule): void {
    const { carrier, topic } = schedule;
    if (!carrier) return;
    let carried = this.#byTopic.get(topic);
    if (!carried) {
      this.#byTopic.set(topic, (carried = new Map()));
      topic.carriersGone = (partition, from, to) => this.#check(topic, partition, from, to);
    }
    carried.set(placeOf(carrier.partition, carrier.offset), schedule);
  }

  remove(schedule: Schedule): void {
    const { carrier, topic } = schedule;
    const carried = this.#byTopic.get(topic);
    if (!carrier || !carried) return;
    const place = placeOf(carrier.partition, carrier.offset);
    if (carried.get(place) === schedule) carried.delete(place);
    if (carried.size > 0) return;
    this.#byTopic.delete(topic);
    topic.carriersGone = undefined;
  }

  /** Messages in `[from, to)` of a partition were removed. */
  #check(topic: Topic, partition: number, from: number, to: number): void {
    const carried = this.#byTopic.get(topic);
    if (!carried) return;
    if (to - from < carried.size) {
      for (let offset = from; offset < to; offset++) {
        const schedule = carried.get(placeOf(partition, offset));
        if (schedule) this.#gone(schedule);
      }
      return;
    }
    for (const schedule of carried.values()) {
      const { carrier } = schedule;
      if (carrier!.partition === partition && carrier!.offset >= from && carrier!.offset < to)
        this.#gone(schedule);
    }
  }
}

function placeOf(partition: number, offset: number): string {
  return `${partition}/${offset}`;
}
