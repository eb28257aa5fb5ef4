import {
  Broker,
  MemoryFiles,
  RealFiles,
  budgetNames,
  type BudgetLimits,
  type BrokerOptions,
  type DamageReport,
  type WatermarkOptions,
} from '../broker/index.ts';
import { SystemClock, SystemRandom, VirtualClock, type Clock, type Random } from '../util/index.ts';
import { Box } from './box.ts';
import { BoxError } from './errors.ts';
import {
  callback,
  checkOptions,
  filledText,
  limitOf,
  objectWith,
  wholeNumber,
  type Checks,
} from './options.ts';

/**
 * Brings what opens compressed batches of Kafka producers; without it they are passed over and reported as
 * damage.
 */
export type LoadDecompress = () => Promise<NonNullable<BrokerOptions['log']>['decompress']>;

export interface OpenOptions {
  /**
   * Where the data is; made when it is not there. It belongs to one process at a time. Absent: everything is
   * in memory, and gone at the end.
   */
  readonly dir?: string;
  /** Messages on their way to disk at most; publishes beyond wait for their turn. Default 16,384. */
  readonly unackedPublishesMax?: number;
  /** Publishes are refused (`storage-full`, `memory-full`) past these marks. */
  readonly watermarks?: Partial<WatermarkOptions>;
  /**
   * Limits of what there may be at once (`limit-reached` beyond); what is not given is sized to the memory
   * there is. See docs/limits.md.
   */
  readonly limits?: Partial<BudgetLimits>;
  /** A clock of your own: a `VirtualClock` in tests, so that nothing has to be waited for. */
  readonly clock?: Clock;
  /** The chance behind backoffs and the like: a `SeededRandom` repeats itself. */
  readonly random?: Random;
  /** Writing failed: nothing will be acked any more. Close the box and end. */
  readonly onFailed?: (error: Error) => void;
  /** Damage was found in stored data; what is not damaged is served. */
  readonly onDamaged?: (report: DamageReport) => void;
  /**
   * A broker that runs already, such as that of `startServer`: the box is a door to it, and leaves it open.
   * Of the options above only `unackedPublishesMax` may be given with it.
   */
  readonly broker?: Broker;
}

/**
 * Opens a box: in memory, for tests and for what need not last, or in a directory.
 *
 * ```ts
 * import { open } from 'pillarbox';
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const dir = await mkdtemp(join(tmpdir(), 'pillarbox-'));
 * {
 *   await using box = await open({ dir });
 *   const orders = await box.topic('orders');
 *   await orders.publish({ id: 1 }); // on disk, synced, when this resolves
 * }
 * {
 *   await using box = await open({ dir });
 *   const orders = await box.topic('orders');
 *   console.log((await orders.get(0))?.value); // prints: { id: 1 }
 * }
 * await rm(dir, { recursive: true });
 * ```
 *
 * On a virtual clock time passes when told:
 *
 * ```ts
 * import { open, VirtualClock } from 'pillarbox';
 *
 * const clock = new VirtualClock();
 * await using box = await open({ clock });
 * const reminders = await box.topic('reminders');
 * await reminders.publish('stand up', { delayMs: 3_600_000 });
 * const group = await reminders.group('me');
 * const reminder = group.next();
 * clock.advance(3_600_000);
 * console.log((await reminder)?.value); // prints: stand up
 * ```
 */
export async function open(options: OpenOptions = {}, loadDecompress?: LoadDecompress): Promise<Box> {
  checkOptions('open()', options, optionChecks);
  if (options.watermarks) checkOptions('open({ watermarks })', options.watermarks, watermarkChecks);
  if (options.limits) checkOptions('open({ limits })', options.limits, limitChecks);
  const unackedPublishesMax = options.unackedPublishesMax ?? 16_384;
  if (options.broker) {
    const { broker } = options;
    const { broker: _, unackedPublishesMax: __, ...ofItsOwn } = options;
    for (const [name, value] of Object.entries(ofItsOwn))
      if (value !== undefined)
        throw new BoxError(
          'option-invalid',
          `open({ broker }) cannot be called so: the broker has its own ${name} already; leave it out.`,
        );
    const { clock } = broker;
    const keepsProcessAlive = !(clock instanceof VirtualClock);
    return new Box({ broker, clock, unackedPublishesMax, keepsProcessAlive, ownsBroker: false });
  }
  const clock = options.clock ?? new SystemClock();
  const broker = await Broker.open({
    ...(await storageOf(options.dir, loadDecompress)),
    clock,
    random: options.random ?? new SystemRandom(),
    ...(options.watermarks ? { watermarks: options.watermarks } : {}),
    ...(options.limits ? { budgets: options.limits } : {}),
    ...(options.onFailed ? { onFailed: options.onFailed } : {}),
    ...(options.onDamaged ? { onDamaged: options.onDamaged } : {}),
  });
  const keepsProcessAlive = !(clock instanceof VirtualClock);
  return new Box({ broker, clock, unackedPublishesMax, keepsProcessAlive, ownsBroker: true });
}

const optionChecks: Checks<OpenOptions> = {
  dir: filledText,
  unackedPublishesMax: wholeNumber(1),
  watermarks: objectWith(),
  limits: objectWith(),
  clock: objectWith('now', 'monotonic', 'setTimer', 'defer'),
  random: objectWith('next', 'bytes'),
  onFailed: callback,
  onDamaged: callback,
  broker: objectWith('createTopic', 'afterCommit'),
};

const watermarkChecks: Checks<WatermarkOptions> = {
  diskFreeBytesMin: wholeNumber(),
  memoryBytesMax: limitOf(1),
  heapBytesMax: limitOf(1),
};

const limitChecks = Object.fromEntries(
  budgetNames.map((name) => [name, wholeNumber(1)]),
) as unknown as Checks<BudgetLimits>;

/**
 * In memory the journal begins small: a box of a test is made in a moment. Only a directory may hold what
 * Kafka producers have compressed.
 */
async function storageOf(
  dir: string | undefined,
  loadDecompress: LoadDecompress | undefined,
): Promise<Pick<BrokerOptions, 'dir' | 'files' | 'log'>> {
  if (dir !== undefined) {
    const decompress = await loadDecompress?.();
    return { dir, files: new RealFiles(), ...(decompress ? { log: { decompress } } : {}) };
  }
  return {
    dir: '/box',
    files: new MemoryFiles(),
    log: { journalFileBytes: 2 ** 20, checkpointBytes: 2 ** 25 },
  };
}
