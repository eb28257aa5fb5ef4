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
  let ready = 0;
  for (const { pending, held } of group.positions.opened) ready += pending.readyCount;
  return { visible: durableLag + ready, notVisible: Math.max(0, inFlight - ready), delayed: waiting };
}
