import type { Fate, SpyEvent } from './event.ts';
import type { Journal } from './journal.ts';
import { matches, shownMatch, type Match } from './match.ts';
import { report } from './report.ts';

export interface WaitOptions {
  /** How long to wait, in milliseconds of real time, even on a virtual clock. Default 5,000. */
  readonly timeoutMs?: number;
}

/** A message did not come to the fate that a test waited for. The message of the error says what was seen. */
export class NotSeenError extends Error {
  override readonly name = 'NotSeenError';
  readonly code = 'not-seen';
  /** What was seen of the topic. */
  readonly events: readonly SpyEvent[];

  constructor(message: string, events: readonly SpyEvent[]) {
    super(message);
    this.events = events;
  }
}

/** A spy sees what becomes of the messages of a topic; of one group, or of all. */
export class Spy {
  readonly topic: string;
  readonly group: string | undefined;
  readonly #journal: Journal;

  constructor(journal: Journal, topic: string, group: string | undefined) {
    this.#journal = journal;
    this.topic = topic;
    this.group = group;
  }

  /** All that was seen so far, oldest first. */
  get events(): SpyEvent[] {
    return this.#journal.events.filter((event) => this.#sees(event));
  }

  /** The number of messages that came to a fate, each event counted. */
  count(fate: Fate): number {
    return this.events.filter((event) => event.fate === fate).length;
  }

  /**
   * Resolves to the first event of that fate of a message that matches, past or future. Rejects with a
   * {@link NotSeenError} that lists what was seen.
   *
   * ```ts
   * import { startTestKit } from 'pillarbox/testing';
   *
   * await using kit = await startTestKit();
   * const orders = await kit.client.topic('orders');
   * const billing = await orders.group('billing');
   * billing.consume(() => {});
   * await orders.publish({ id: 7, item: 'tea' });
   * const { group, delivery } = await kit.spy('orders').waitFor({ id: 7 }, 'acked');
   * console.log(group, delivery); // prints: billing 1
   * ```
   */
  waitFor(match: Match, fate: Fate, { timeoutMs = 5_000 }: WaitOptions = {}): Promise<SpyEvent> {
    const isIt = (event: SpyEvent): boolean =>
      event.fate === fate && this.#sees(event) && matches(match, event.message);
    const past = this.#journal.events.find(isIt);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const stop = this.#journal.listen((event) => {
        if (!isIt(event)) return;
        clearTimeout(timer);
        stop();
        resolve(event);
      });
      const timer = setTimeout(() => {
        stop();
        const { events } = this;
        const what = `${shownMatch(match)} of topic "${this.topic}" was not ${fate} within ${timeoutMs} ms.`;
        reject(new NotSeenError(`${what}\n${report(this.topic, events, this.#journal.events)}`, events));
      }, timeoutMs);
    });
  }

  #sees({ message, group }: SpyEvent): boolean {
    return (
      message.topic === this.topic &&
      (this.group === undefined || group === undefined || group === this.group)
    );
  }
}
