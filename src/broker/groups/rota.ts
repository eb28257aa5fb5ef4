import type { Attachment } from './attachment.ts';
import type { PendingEntry } from './pending.ts';

/** A consumer in its group, as the rota knows it. */
export type Attached = Attachment<PendingEntry>;

/** A rota says which consumer of a group gets the next message. */
export interface Rota {
  /** A consumer was attached. */
  add(attached: Attached): void;
  /** A consumer was detached. `returns`: its member will attach again. */
  remove(attached: Attached, returns: boolean): void;
  /** A consumer may have credit again; undefined: any of them. */
  mayHaveCredit(attached: Attached | undefined): void;
  /** The consumer that gets the next message; undefined if no consumer may have one now. */
  next(): Attached | undefined;
  /** The consumer that is next gets a message. Called before it does. */
  taken(attached: Attached): void;
  /**
   * The consumer that is next has no message for it. It is not asked again in this run of deliveries (`run`),
   * or until the next message was taken (`message`).
   */
  passOver(attached: Attached, until: 'run' | 'message'): void;
  /** A run of deliveries is over. */
  runEnded(): void;
  /** Whether a consumer has credit and may have no message, because others go before it. */
  readonly holdsBack: boolean;
}
