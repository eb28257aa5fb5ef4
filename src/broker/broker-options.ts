import type { DamageReport, Files, LogError, LogOptions } from '../log/index.ts';
import type { Clock, ClockJump, Random } from '../util/index.ts';
import type { BudgetLimits } from './budgets.ts';
import type { TransactionLimits } from './transactions/transaction-limits.ts';
import type { WatermarkOptions } from './watermarks.ts';

/** Where the broker lives, and what it is made of. */
export interface BrokerOptions {
  readonly dir: string;
  readonly files: Files;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly watermarks?: Partial<WatermarkOptions>;
  readonly log?: Partial<LogOptions>;
  readonly transactions?: Partial<TransactionLimits>;
  /**
   * Limits of what there may be at once; what is not given is sized to the memory there is. See budgets.ts.
   */
  readonly budgets?: Partial<BudgetLimits>;
  /**
   * The log failed: nothing will be acked any more, and the process should end. Called once; not while
   * {@link Broker.open} can still reject.
   */
  readonly onFailed?: (error: LogError) => void;
  readonly onDamaged?: (report: DamageReport) => void;
  /**
   * The wall clock was set, or the machine slept. Windows, ages and delays of what arrived since the start do
   * not follow.
   */
  readonly onClockJumped?: (jump: ClockJump) => void;
  /** Memory in use, in bytes; by default the process's resident set. */
  readonly memoryBytes?: () => number;
  /** Bytes on the heap; by default V8's, or none where `memoryBytes` is given. */
  readonly heapBytes?: () => number;
}
