import type { BrokerError } from './errors.ts';
import type { ActiveInfo, Group, Topic } from './model.ts';

/** An event for watchers: advisories, logs, the dashboard. Emitted synchronously, after the change. */
export type BrokerEvent<T = Topic, G = Group> =
  | { readonly kind: 'topic-created' | 'topic-updated' | 'topic-deleted'; readonly topic: T }
  | {
      readonly kind: 'group-created' | 'group-updated' | 'group-deleted' | 'group-paused' | 'group-resumed';
      readonly group: G;
    }
  | ({ readonly kind: 'max-deliveries' } & DeliveryEvent<G>)
  | ({ readonly kind: 'rejected'; readonly reason: string } & DeliveryEvent<G>)
  | ({ readonly kind: 'nacked'; readonly reason: string | undefined } & DeliveryEvent<G>)
  | ({
      readonly kind: 'dead-lettered';
      readonly deadLetter: string;
      readonly cause: string;
    } & DeliveryEvent<G>)
  /** A group with a single active consumer has another one (`chosen`), or has none any more. */
  | {
      readonly kind: 'active-changed';
      readonly group: G;
      readonly active: ActiveInfo | undefined;
      /** The one that is active no longer. */
      readonly former: ActiveInfo | undefined;
      readonly why: 'chosen' | 'left' | 'silent' | 'released';
    }
  /** Messages were removed while the group waited for answers about them. */
  | { readonly kind: 'removed'; readonly group: G }
  /** The wall clock was set ahead, or back (below 0). */
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  /** The log has failed: nothing will be acked any more. */
  | { readonly kind: 'failed'; readonly error: BrokerError };

export interface DeliveryEvent<G = Group> {
  readonly group: G;
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
  /** The number of the delivery in its group. */
  readonly sequence: number;
}

/** The subscribers to events. */
export class Events<T, G> {
  readonly #listeners = new Set<(event: BrokerEvent<T, G>) => void>();

  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: BrokerEvent<T, G>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: BrokerEvent<T, G>): void {
    for (const listener of this.#listeners) listener(event);
  }
}
