import type { DamageReport, LogError } from '../log/index.ts';
import type { SteadyTime } from '../util/index.ts';
import { BrokerError } from './errors.ts';
import type { Watermarks } from './watermarks.ts';

/** The health of the broker: whether it serves, and its known problems. */
export interface BrokerHealth {
  readonly ready: boolean;
  readonly diskFull: boolean;
  readonly memoryFull: boolean;
  readonly failed: string | undefined;
  readonly damage: readonly DamageReport[];
  /**
   * What to do, in one sentence, if data was lost or set aside since the start; undefined otherwise. The rest
   * of the data is served.
   */
  readonly degraded: string | undefined;
  /** How often the wall clock jumped since the start, and by how much it is ahead because of the jumps. */
  readonly clockJumps: number;
  readonly clockAheadMs: number;
}

const adviceOnDamage =
  'Stored data was missing or damaged; the rest is served. Compare with a backup, look into quarantine/ and the reports in "health.damage", and see "pillarbox doctor".';
/** `health` keeps this many reports, the first ones. */
const damageReportsMax = 1000;

/** The inputs of a broker's condition, besides its own methods. */
interface ConditionContext {
  /** The data directory. */
  readonly dir: string;
  readonly watermarks: Watermarks;
  readonly steady: SteadyTime;
}

/**
 * The condition of a broker: whether it is ready, why it refuses publishes, and the damage that was found.
 */
export class Condition {
  /** Whether all of the data directory has been read back. */
  isReady = false;
  isClosed = false;
  /** Set once the log is opened. `stalled` is the reason why the journal cannot grow, if any. */
  log: { readonly stalled: Error | undefined } | undefined = undefined;
  readonly #context: ConditionContext;
  readonly #damage: DamageReport[] = [];
  readonly #lost: DamageReport[] = [];
  #failure: BrokerError | undefined = undefined;

  constructor(context: ConditionContext) {
    this.#context = context;
  }

  /** Set when the log has failed: nothing becomes durable any more. */
  get failure(): BrokerError | undefined {
    return this.#failure;
  }

  failed(error: LogError): BrokerError {
    const problem = `Writing to ${this.#context.dir} failed: ${error.message}`;
    this.#failure = new BrokerError('storage-failed', problem, {}, error);
    return this.#failure;
  }

  /**
   * Offsets that were lost with a damaged journal. They are found only at a start, which removes them when
   * all of the journal is read.
   */
  get lost(): readonly DamageReport[] {
    return this.#lost;
  }

  damaged(report: DamageReport): void {
    if (report.kind === 'journal' && report.fromOffset !== undefined) this.#lost.push(report);
    if (this.#damage.length < damageReportsMax) this.#damage.push(report);
  }

  /** Why no publish is accepted now; undefined if publishes are accepted. */
  get refusal(): BrokerError | undefined {
    return this.shortage ?? this.refusalForGood;
  }

  /** Why publishes are refused until there is room again, on the disk or in memory. */
  get shortage(): BrokerError | undefined {
    return this.#context.watermarks.refusal ?? this.#refusalWhileStalled();
  }

  /** Why nothing can be changed any more; undefined if changes are possible. */
  get refusalForGood(): BrokerError | undefined {
    if (this.#failure) return this.#failure;
    return this.isClosed ? new BrokerError('closed', 'The broker is closed.') : undefined;
  }

  /** Throws {@link refusalForGood}. */
  checkOpen(): void {
    const refusal = this.refusalForGood;
    if (refusal) throw refusal;
  }

  /**
   * The refusal while there is no room for the next journal file, whatever the watermark says. The rest of
   * the current file is for acks, so that consumers can go on.
   */
  #refusalWhileStalled(): BrokerError | undefined {
    const stalled = this.log?.stalled;
    if (stalled === undefined) return undefined;
    const problem = `The disk of ${this.#context.dir} is full: the journal cannot grow.`;
    return new BrokerError('storage-full', `${problem} Consume or purge topics, or free space.`, {}, stalled);
  }

  get health(): BrokerHealth {
    const { watermarks, steady } = this.#context;
    return {
      ready: this.isReady && !this.#failure && !this.isClosed,
      diskFull: watermarks.diskFull || this.log?.stalled !== undefined,
      memoryFull: watermarks.memoryFull,
      failed: this.#failure?.message,
      damage: this.#damage,
      degraded: this.#damage.length === 0 ? undefined : adviceOnDamage,
      clockJumps: steady.jumps,
      clockAheadMs: Math.round(steady.aheadMs),
    };
  }
}
