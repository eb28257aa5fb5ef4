import type { DamageReport, Files, LogError, LogOptions } from '../log/index.ts';
import type { Clock, ClockJump, Random } from '../util/index.ts';
import type { BudgetLimits } from './budgets.ts';
import type { TransactionLimits } from './transactions/transaction-limits.ts';
import type { WatermarkOptions } from './watermarks.ts';

/** The data directory of a broker, its limits, and its seams to the system. */
export interface BrokerOptions {
  readonly dir: string;
  readonly files: Files;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly watermarks?: Partial<WatermarkOptions>;
  readonly log?: Partial<LogOptions>;
  readonly transactions?: Partial<TransactionLimits>;
  /**
   * How many objects of each kind may exist at once. Limits that are not given are sized to the available
   * memory. See budgets.ts.
   */
  readonly budgets?: Partial<BudgetLimits>;
  /**
   * Called once when the log has failed: nothing will be acked any more, and the process should end. Not
   * called while {@link Broker.open} can still reject.
   */
  readonly onFailed?: (error: LogError) => void;
  readonly onDamaged?: (report: DamageReport) => void;
  /**
   * Called when the wall clock was set, or the machine slept. Windows, ages and delays of messages that
   * arrived since the start are not affected.
   */
  readonly onClockJumped?: (jump: ClockJump) => void;
  /** Memory in use, in bytes; by default the resident set of the process. */
  readonly memoryBytes?: () => number;
  /** Bytes on the heap; by default those of V8's heap, or 0 if `memoryBytes` is given. */
  readonly heapBytes?: () => number;
}
