import type { Clock, Timer } from '../../util/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionRegistry } from './registry.ts';

export interface SessionsOptions<S> {
  readonly registry: ConnectionRegistry;
  readonly clock: Clock;
  readonly connectionsMax: number;
  /** Connections of this frontend and those of other protocols do not count towards each other's limit. */
  readonly isApart?: boolean;
  /** The interval of the sweeps, while there are sessions. */
  readonly sweepMs: number;
  /** Checks the deadlines and signs of life of one session. */
  readonly lookAfter: (session: S, nowMs: number) => void;
}

/**
 * A sweep yields the event loop after this time and continues in the next turn: ending a session takes a
 * while, and thousands may be overdue.
 */
const sweepTurnMs = 5;

/** The sessions of one frontend: its connections, from their admission until their sockets are closed. */
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

  /** Whether another connection may be admitted, besides the TLS handshakes under way. */
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

  /** To be called when the socket of the session has closed. */
  remove(session: S): void {
    this.#options.registry.remove(session);
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /** Admits no more sessions. */
  shut(): void {
    this.#isClosing = true;
  }

  /** Resolves when the last session has ended, or after `waitMs`. */
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

  /** Resolves when the last session has ended; the sweeps stop then. */
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
