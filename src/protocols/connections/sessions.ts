import type { Clock, Timer } from '../../util/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionRegistry } from './registry.ts';

export interface SessionsOptions<S> {
  readonly registry: ConnectionRegistry;
  readonly clock: Clock;
  readonly connectionsMax: number;
  /** They take no room from the connections of other protocols, nor the other way round. */
  readonly isApart?: boolean;
  /** How often the sessions are looked after, while there are any. */
  readonly sweepMs: number;
  /** Looks after one of them: deadlines, signs of life. */
  readonly lookAfter: (session: S, nowMs: number) => void;
}

/**
 * A sweep leaves the event loop to others after so long, and goes on in the next turn: to end a session takes
 * a while, and thousands may be overdue.
 */
const sweepTurnMs = 5;

/**
 * The sessions of one frontend: its connections, from when they are let in until their sockets are closed.
 */
export class Sessions<S extends Connection> implements Iterable<S> {
  readonly #options: SessionsOptions<S>;
  readonly #sessions = new Set<S>();
  #timer: Timer | undefined = undefined;
  #isClosing = false;
  #emptied: (() => void) | undefined = undefined;

  constructor(options: SessionsOptions<S>) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): Iterator<S> {
    return this.#sessions.values();
  }

  /** Whether another connection is let in, beside so many whose TLS handshakes are under way. */
  hasRoom(handshakes = 0): boolean {
    const { registry, connectionsMax, isApart } = this.#options;
    return (
      !this.#isClosing &&
      this.#sessions.size + handshakes < connectionsMax &&
      (isApart === true || registry.hasRoomBeside(handshakes))
    );
  }

  nextId(): number {
    return this.#options.registry.nextId();
  }

  add(session: S): void {
    this.#sessions.add(session);
    this.#options.registry.add(session, this.#options.isApart);
    this.#timer ??= this.#options.clock.setTimer(this.#options.sweepMs, this.#sweep);
  }

  /** The session's socket is closed. */
  remove(session: S): void {
    this.#options.registry.remove(session);
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /** Lets nobody in any more. */
  shut(): void {
    this.#isClosing = true;
  }

  /** Resolves when the last session has gone, or after so long. */
  empty(waitMs?: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = waitMs === undefined ? undefined : this.#options.clock.setTimer(waitMs, resolve);
      this.#emptied = () => {
        timer?.cancel();
        resolve();
      };
    });
  }

  /** Resolves when the last session has gone; nothing is looked after from then on. */
  async ended(): Promise<void> {
    await this.empty();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    this.#goOn(this.#sessions.values());
  };

  #goOn(rest: Iterator<S>): void {
    const { clock, lookAfter, sweepMs } = this.#options;
    const nowMs = clock.monotonic();
    for (let next = rest.next(); !next.done; next = rest.next()) {
      lookAfter(next.value, nowMs);
      if (clock.monotonic() - nowMs >= sweepTurnMs) return clock.defer(() => this.#goOn(rest));
    }
    if (this.#sessions.size > 0) this.#timer ??= clock.setTimer(sweepMs, this.#sweep);
  }
}
