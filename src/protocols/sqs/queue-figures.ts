import type { Broker } from '../../broker/index.ts';
import type { Queue } from './queue.ts';

/** The messages of a queue, as its attributes count them. */
export interface QueueFigures {
  readonly visible: number;
  /** With a receiver, or waiting for their next try. */
  readonly notVisible: number;
  readonly delayed: number;
}

export function figuresOf({ delayed }: Broker, { topic, group }: Queue): QueueFigures {
  const waiting = delayed.countOf(topic);
  if (!group) return { visible: topic.durableCount, notVisible: 0, delayed: waiting };
  const { durableLag, inFlight } = group.info();
  const all = durableLag + inFlight;
  // What may be delivered again counts as visible. A group that may not deliver now says nothing of that.
  const visible = Math.max(durableLag, Math.min(all, group.deliverable));
  return { visible, notVisible: all - visible, delayed: waiting };
}
