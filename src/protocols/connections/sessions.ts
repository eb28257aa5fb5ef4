import type { Clock, Timer } from '../../util/index.ts';
import type { Connection } from './connection.ts';
import type { ConnectionRegistry } from './registry.ts';

export interface SessionsOptions {
  readonly registry: ConnectionRegistry;
  readonly clock: Clock;
  readonly connectionsMax: number;
  /** How often the sessions are looked after, while there are any. */
  readonly sweepMs: number;
  /** Looks after all sessions: deadlines, signs of life. */
  readonly sweep: (nowMs: number) => void;
}

/** The sessions of one frontend: its connections, from when they are let in until their sockets are closed. */
export class Sessions<S extends Connection> implements Iterable<S> {
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<S>();
  #timer: Timer | undefined = undefined;
  #isClosing = false;
  #emptied: (() => void) | undefined = undefined;

  constructor(options: SessionsOptions) {
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
    const { registry, connectionsMax } = this.#options;
    return (
      !this.#isClosing &&
      this.#sessions.size + handshakes < connectionsMax &&
      registry.hasRoomBeside(handshakes)
    );
  }

  nextId(): number {
    return this.#options.registry.nextId();
  }

  add(session: S): void {
    this.#sessions.add(session);
    this.#options.registry.add(session);
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
    const { clock, sweep, sweepMs } = this.#options;
    sweep(clock.monotonic());
    if (this.#sessions.size > 0) this.#timer = clock.setTimer(sweepMs, this.#sweep);
  };
}
