import type { DamageReport, LogError } from '../log/index.ts';
import type { SteadyTime } from '../util/index.ts';
import { BrokerError } from './errors.ts';
import type { Watermarks } from './watermarks.ts';

/** Whether the broker is fit to serve. */
export interface BrokerHealth {
  readonly ready: boolean;
  readonly diskFull: boolean;
  readonly memoryFull: boolean;
  readonly failed: string | undefined;
  readonly damage: readonly DamageReport[];
  /**
   * Something was lost or set aside since the start: what is left is served. What to do, in a sentence;
   * undefined: nothing.
   */
  readonly degraded: string | undefined;
  /**
   * How often the wall clock jumped since the start, and by how much it is ahead of where it would be
   * without.
   */
  readonly clockJumps: number;
  readonly clockAheadMs: number;
}

const adviceOnDamage =
  'Stored data was missing or damaged; the rest is served. Compare with a backup, look into quarantine/ and the reports in "health.damage", and see "pillarbox doctor".';
/** Reports that `health` keeps, the first ones. */
const damageReportsMax = 1000;

/** What the condition of a broker depends on besides what it is told. */
interface ConditionContext {
  /** The data directory. */
  readonly dir: string;
  readonly watermarks: Watermarks;
  readonly steady: SteadyTime;
}

/** The condition of a broker: whether it serves, why it refuses, and which damage was found. */
export class Condition {
  /** All that the data directory holds has been read back. */
  isReady = false;
  isClosed = false;
  /** There once it is opened; `stalled`: why the journal cannot grow, if so. */
  log: { readonly stalled: Error | undefined } | undefined = undefined;
  readonly #context: ConditionContext;
  readonly #damage: DamageReport[] = [];
  readonly #lost: DamageReport[] = [];
  #failure: BrokerError | undefined = undefined;

  constructor(context: ConditionContext) {
    this.#context = context;
  }

  /** The log failed: nothing becomes durable any more. */
  get failure(): BrokerError | undefined {
    return this.#failure;
  }

  failed(error: LogError): BrokerError {
    const problem = `Writing to ${this.#context.dir} failed: ${error.message}`;
    this.#failure = new BrokerError('storage-failed', problem, {}, error);
    return this.#failure;
  }

  /** Offsets that a damaged journal held: only a start reads it, and takes them out when it has read all of it. */
  get lost(): readonly DamageReport[] {
    return this.#lost;
  }

  damaged(report: DamageReport): void {
    if (report.kind === 'journal' && report.fromOffset !== undefined) this.#lost.push(report);
    if (this.#damage.length < damageReportsMax) this.#damage.push(report);
  }

  /** Why no publish is accepted now; undefined: it is. */
  get refusal(): BrokerError | undefined {
    return this.#context.watermarks.refusal ?? this.#refusalWhileStalled() ?? this.refusalForGood;
  }

  /** Why nothing can be changed any more; undefined: it can. */
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
   * No room for the next journal file, whatever the watermark says: what is left of the current one is for
   * acks, so that consumers go on.
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
