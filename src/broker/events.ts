import type { BrokerError } from './errors.ts';
import type { Group } from './groups/group.ts';
import type { Topic } from './topics/topic.ts';

/**
 * What happened, for those who watch: advisories, logs, the dashboard. Told synchronously, after the fact.
 */
export type BrokerEvent =
  | { readonly kind: 'topic-created' | 'topic-updated' | 'topic-deleted'; readonly topic: Topic }
  | {
      readonly kind: 'group-created' | 'group-updated' | 'group-deleted' | 'group-paused' | 'group-resumed';
      readonly group: Group;
    }
  | ({ readonly kind: 'max-deliveries' } & DeliveryEvent)
  | ({ readonly kind: 'rejected'; readonly reason: string } & DeliveryEvent)
  | ({ readonly kind: 'nacked'; readonly reason: string | undefined } & DeliveryEvent)
  | ({ readonly kind: 'dead-lettered'; readonly deadLetter: string; readonly cause: string } & DeliveryEvent)
  /** Messages were removed while the group waited for answers about them. */
  | { readonly kind: 'removed'; readonly group: Group }
  /** The log failed: nothing will be acked any more. */
  | { readonly kind: 'failed'; readonly error: BrokerError };

export interface DeliveryEvent {
  readonly group: Group;
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
  /** Number of the delivery in its group. */
  readonly sequence: number;
}

/** Those who watch, and a way to tell them. */
export class Events {
  readonly #listeners = new Set<(event: BrokerEvent) => void>();

  /** Returns the call that ends the subscription. */
  subscribe(listener: (event: BrokerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: BrokerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
