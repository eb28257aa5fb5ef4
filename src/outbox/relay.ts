import { causeOf } from './failure.ts';
import type { OutboxTable } from './outbox-table.ts';
import type { FindPublisher, Publisher } from './publisher.ts';
import { publishRound, type RoundFailure } from './round.ts';
import type { Waker } from './waker.ts';

export interface RelayOptions {
  /** The topics to publish to: `(name) => box.topic(name, { codec: bytes })`. */
  readonly publisher: FindPublisher;
  /** How often to look for rows if nothing wakes the relay. Default 1,000. */
  readonly pollMs?: number;
  /** The most rows of a round. Default 500. */
  readonly roundRows?: number;
  /** How long another relay waits for one that has died. Default 10,000. */
  readonly leaseMs?: number;
  /** After so many failed publishes that are the row's fault a row is set aside. Default 10. */
  readonly attemptsMax?: number;
  /** The wait after the first failure; it doubles with each, up to a minute. Default 500. */
  readonly backoffMs?: number;
  /** What becomes of later rows of the key of one that was set aside. Default `wait`. */
  readonly keyOfSetAside?: 'wait' | 'go-on';
  /** Called with the errors of publishes and of the database. Default: they are in `stats()`. */
  readonly onError?: (error: unknown) => void;
}

export interface RelayStats {
  /** Whether this relay has the lease: it publishes, the others wait. */
  readonly isActive: boolean;
  readonly published: number;
  /** How many of these the target had already, from a relay that died before it could delete the rows. */
  readonly duplicates: number;
  readonly failed: number;
  readonly setAside: number;
  /** The message of the last error. */
  readonly lastError: string | undefined;
}

const backoffMsMax = 60_000;

/**
 * A relay publishes the rows of an outbox and deletes them. Of the relays of one outbox, in any number of
 * processes, the one with the lease is active. If two should be for a moment (one was stopped and goes on),
 * nothing is stored twice, since both publish a row under its id, and nothing out of order, since both
 * publish a key's rows in order.
 */
export class Relay implements AsyncDisposable {
  readonly #table: OutboxTable<unknown>;
  readonly #options: Required<Omit<RelayOptions, 'onError'>> & Pick<RelayOptions, 'onError'>;
  readonly #waker: Waker;
  readonly #holder: string = crypto.randomUUID();
  readonly #publishers = new Map<string, Promise<Publisher>>();
  /** Topics that cannot be published to now, and until when; `tries` of them failed in a row. */
  readonly #held = new Map<string, { untilMs: number; tries: number }>();
  readonly #done: Promise<void>;
  #isClosed = false;
  #leaseCheckMs = 0;
  /** When rows and topics are tried again. */
  #retriesMs: number[] = [];
  #stats = {
    isActive: false,
    published: 0,
    duplicates: 0,
    failed: 0,
    setAside: 0,
    lastError: undefined as string | undefined,
  };

  constructor(table: OutboxTable<unknown>, waker: Waker, options: RelayOptions) {
    this.#table = table;
    this.#waker = waker;
    this.#options = {
      pollMs: 1_000,
      roundRows: 500,
      leaseMs: 10_000,
      attemptsMax: 10,
      backoffMs: 500,
      keyOfSetAside: 'wait',
      ...options,
    };
    this.#done = this.#run();
  }

  stats(): RelayStats {
    return { ...this.#stats };
  }

  /** Stops after the round that is under way, and gives the lease to another relay. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#waker.wake();
    return this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      const notice = this.#waker.next();
      let waitMs: number;
      try {
        waitMs = await this.#turn();
        failures = 0;
      } catch (error) {
        this.#failed(error);
        waitMs = Math.min(this.#options.backoffMs * 2 ** failures++, backoffMsMax);
      }
      if (waitMs > 0 && !this.#isClosed) await notice.within(waitMs);
    }
    this.#stats.isActive = false;
    await this.#waker.close();
    await this.#table.release(this.#holder).catch((error: unknown) => this.#failed(error));
  }

  /** One round, if this relay is active. Resolves to how long to wait, at most, before the next. */
  async #turn(): Promise<number> {
    const { pollMs, roundRows, keyOfSetAside } = this.#options;
    if (!(await this.#hasLease())) return Math.min(pollMs, this.#leaseStepMs);
    await this.#waker.listen((error) => this.#failed(error));
    const nowMs = performance.now();
    this.#retriesMs = this.#retriesMs.filter((retryMs) => retryMs > nowMs); // for the others this is the turn
    const heldTopics = [...this.#held].filter(([, { untilMs }]) => untilMs > nowMs).map(([topic]) => topic);
    const rows = await this.#table.next(roundRows, heldTopics, keyOfSetAside === 'wait');
    if (rows.length === 0) return this.#idleMs();
    const { published, duplicates, failures } = await publishRound(rows, (topic) => this.#publisher(topic));
    await this.#table.remove(published);
    this.#stats.published += published.length;
    this.#stats.duplicates += duplicates;
    for (const { topic } of published) this.#held.delete(topic);
    for (const failure of failures) await this.#note(failure);
    // A round that was not full has read all there was.
    return rows.length === roundRows ? 0 : this.#idleMs();
  }

  /** How long there is nothing to do, unless a notice comes: until the next poll, lease or try. */
  #idleMs(): number {
    const nowMs = performance.now();
    return Math.min(
      this.#options.pollMs,
      this.#leaseStepMs,
      ...this.#retriesMs.map((retryMs) => retryMs - nowMs),
    );
  }

  /** Sees to it that there is a turn in so many milliseconds. */
  #turnIn(ms: number): void {
    // A little later: the database counts whole milliseconds, on a clock of its own.
    this.#retriesMs.push(performance.now() + ms + 2);
  }

  /** How often the lease is renewed, or asked for. */
  get #leaseStepMs(): number {
    return this.#options.leaseMs / 3;
  }

  async #hasLease(): Promise<boolean> {
    const nowMs = performance.now();
    if (nowMs < this.#leaseCheckMs) return this.#stats.isActive;
    this.#stats.isActive = await this.#table.lease(this.#holder, this.#options.leaseMs);
    const { pollMs } = this.#options;
    this.#leaseCheckMs =
      nowMs + (this.#stats.isActive ? this.#leaseStepMs : Math.min(pollMs, this.#leaseStepMs));
    return this.#stats.isActive;
  }

  async #note({ row, error, isOfRow }: RoundFailure): Promise<void> {
    const { attemptsMax, backoffMs } = this.#options;
    this.#failed(error);
    this.#publishers.delete(row.topic);
    if (!isOfRow) return this.#hold(row.topic);
    const isLast = row.attempts + 1 >= attemptsMax;
    if (isLast) this.#stats.setAside++;
    const retryInMs = Math.min(backoffMs * 2 ** row.attempts, backoffMsMax);
    await this.#table.failed(row, causeOf(error), isLast ? 'set-aside' : { retryInMs });
    this.#turnIn(isLast ? 0 : retryInMs); // counted from the update
  }

  #hold(topic: string): void {
    const nowMs = performance.now();
    const held = this.#held.get(topic);
    if (held && held.untilMs > nowMs) return; // another key of the same round
    const tries = held?.tries ?? 0;
    const waitMs = Math.min(this.#options.backoffMs * 2 ** tries, backoffMsMax);
    const untilMs = nowMs + waitMs;
    this.#turnIn(waitMs);
    this.#held.set(topic, { untilMs, tries: tries + 1 });
  }

  #publisher(topic: string): Promise<Publisher> {
    let found = this.#publishers.get(topic);
    if (!found) {
      found = (async () => this.#options.publisher(topic))();
      found.catch(() => this.#publishers.delete(topic));
      this.#publishers.set(topic, found);
    }
    return found;
  }

  #failed(error: unknown): void {
    this.#stats.failed++;
    this.#stats.lastError = causeOf(error);
    this.#options.onError?.(error);
  }
}
