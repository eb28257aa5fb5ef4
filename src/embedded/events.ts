import type { ActiveInfo, BrokerEvent } from '../broker/index.ts';

/** An event in a box, for watchers. */
export type BoxEvent =
  | { readonly kind: 'topic-created' | 'topic-updated' | 'topic-deleted'; readonly topic: string }
  | {
      readonly kind: 'group-created' | 'group-updated' | 'group-deleted' | 'group-paused' | 'group-resumed';
      readonly topic: string;
      readonly group: string;
    }
  /** A group with a single active consumer has another one (`chosen`), or has none any more. */
  | {
      readonly kind: 'active-changed';
      readonly topic: string;
      readonly group: string;
      readonly active: ActiveInfo | undefined;
      /** The one that is active no longer. */
      readonly former: ActiveInfo | undefined;
      readonly why: 'chosen' | 'left' | 'silent' | 'released';
    }
  /** Messages of the topic were removed (by a limit or a purge) while deliveries of them were unanswered. */
  | { readonly kind: 'removed'; readonly topic: string; readonly group: string }
  | ({ readonly kind: 'nacked'; readonly reason: string | undefined } & DeliveryEvent)
  | ({ readonly kind: 'max-deliveries' } & DeliveryEvent)
  | ({ readonly kind: 'rejected'; readonly reason: string } & DeliveryEvent)
  /** A message was given up and is now in the dead-letter topic. */
  | ({ readonly kind: 'dead-lettered'; readonly deadLetter: string; readonly cause: string } & DeliveryEvent)
  /** The clock of the machine was set ahead, or back (below 0). Nothing expires by that. */
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  /** Writing failed: no message is acked from now on. Close the box and end the process. */
  | { readonly kind: 'failed'; readonly error: Error };

export interface DeliveryEvent {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
}

/** A broker's event as plain data. */
export function boxEvent(event: BrokerEvent): BoxEvent {
  if (event.kind === 'failed' || event.kind === 'clock-jumped') return event;
  if ('topic' in event) return { kind: event.kind, topic: event.topic.name };
  const { group } = event;
  const where = { topic: group.topic.name, group: group.name };
  if (event.kind === 'active-changed')
    return { kind: event.kind, ...where, active: event.active, former: event.former, why: event.why };
  if (!('offset' in event)) return { kind: event.kind, ...where };
  const { partition, offset, deliveries } = event;
  const delivery = { ...where, partition, offset, deliveries };
  switch (event.kind) {
    case 'nacked':
      return { ...delivery, kind: event.kind, reason: event.reason };
    case 'rejected':
      return { ...delivery, kind: event.kind, reason: event.reason };
    case 'dead-lettered':
      return { kind: event.kind, ...delivery, deadLetter: event.deadLetter, cause: event.cause };
    default:
      return { kind: event.kind, ...delivery };
  }
}
