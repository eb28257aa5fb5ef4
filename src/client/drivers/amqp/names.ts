/** The names that the driver gives to exchanges, queues and headers. */

/** A topic is a durable fanout exchange. */
export const exchangeOf = (topic: string): string => topic;

/** A group is a quorum queue, bound to the exchange of its topic. */
export const queueOf = (topic: string, group: string): string => `${topic}.${group}`;

/**
 * A retry waits in a queue whose messages expire after so many milliseconds, back into the queue of the
 * group.
 */
export const retryQueueOf = (queue: string, waitMs: number): string => `${queue}.retry.${waitMs}`;

export const keyHeader = 'Pillarbox-Key';
/** How often a message was delivered before it waited for its retry. */
export const deliveriesHeader = 'Pillarbox-Deliveries';

const steps = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8, 10] as const;

/** The wait of a retry queue for a delay: one of ten in each power of ten, so that there are few of them. */
export function waitOf(delayMs: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, delayMs)));
  const step = steps.find((step) => step * power >= delayMs) ?? 10;
  return Math.ceil(step * power);
}
