import type { GroupHost, GroupState } from './group-state.ts';
import type { GroupTimers } from './group-timers.ts';

/** The pause of a group: no deliveries until a given time, or until the group is resumed. */
export class GroupPause {
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #timers: GroupTimers;
  readonly #wake: () => void;
  /** The requested end of the pause, by the wall clock. */
  #untilMs: number | undefined = undefined;

  /** `wake` is called when there may be something to deliver. */
  constructor(state: GroupState, host: GroupHost, timers: GroupTimers, wake: () => void) {
    this.#state = state;
    this.#host = host;
    this.#timers = timers;
    this.#wake = wake;
  }

  /**
   * Stops deliveries until a time (milliseconds since the epoch), or until the group is resumed. Answers are
   * still accepted.
   */
  async pause(untilMs?: number): Promise<void> {
    this.#state.checkOpen();
    const { pausedUntilMs: _, ...config } = this.#state.config;
    this.#state.config = {
      ...config,
      paused: true,
      ...(untilMs === undefined ? {} : { pausedUntilMs: untilMs }),
    };
    this.watch();
    this.#host.redefineGroup(this.#state.group);
    this.#host.emit({ kind: 'group-paused', group: this.#state.group });
    await this.#state.committed();
  }

  async resume(): Promise<void> {
    this.#state.checkOpen();
    const { pausedUntilMs: _, ...config } = this.#state.config;
    this.#state.config = { ...config, paused: false };
    this.watch();
    this.#host.redefineGroup(this.#state.group);
    this.#host.emit({ kind: 'group-resumed', group: this.#state.group });
    this.#wake();
    await this.#state.committed();
  }

  /** Sets the timer to the end of the pause, if it has one. */
  watch(): void {
    const { paused, pausedUntilMs } = this.#state.config;
    const nowMs = this.#host.steady.now();
    if (pausedUntilMs !== this.#untilMs) {
      this.#untilMs = pausedUntilMs;
      this.#state.pauseEndsMs =
        pausedUntilMs === undefined ? undefined : nowMs + pausedUntilMs - this.#host.clock.now();
    }
    const endsMs = this.#state.pauseEndsMs;
    const ends = paused && endsMs !== undefined && this.#state.started && !this.#state.closed;
    const delayMs = ends ? Math.max(0, endsMs - nowMs) : undefined;
    this.#timers.watchPause(delayMs, () => {
      this.#ended().catch(() => undefined); // the log failed: the process ends
    });
  }

  async #ended(): Promise<void> {
    if (this.#state.isPaused) this.watch();
    else await this.resume();
  }
}
