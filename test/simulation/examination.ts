import type { PromiseName } from './checker.ts';
import { Known } from './facts.ts';
import type { Event } from './history.ts';

/** A promise that was broken, and the event that shows it. */
export interface Violation {
  readonly rule: PromiseName;
  readonly text: string;
  readonly at: number;
}

/**
 * An examination goes through a history event by event: the clients' knowledge so far, and the broken
 * promises.
 */
export class Examination {
  readonly events: readonly Event[];
  readonly known: Known = new Known();
  readonly violations: Violation[] = [];
  /** Index of the event. */
  at = 0;
  ms = 0;
  wallMs = 0;

  constructor(events: readonly Event[]) {
    this.events = events;
  }

  goTo(at: number): Event {
    const event = this.events[at]!;
    this.at = at;
    this.ms = event.ms;
    this.wallMs = event.wallMs;
    this.known.run = event.run;
    return event;
  }

  broken(rule: PromiseName, text: string): undefined {
    this.violations.push({ rule, text, at: this.at });
    return undefined;
  }
}
