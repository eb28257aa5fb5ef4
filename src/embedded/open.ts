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
import type { OpenTelemetryApi } from './tracing.ts';
import {
  callback,
  checkOptions,
  filledText,
  limitOf,
  objectWith,
  openTelemetryLike,
  wholeNumber,
  type Checks,
} from './options.ts';

/**
 * Loads the decompressor for compressed batches of Kafka producers. Without it such batches are skipped and
 * reported as damage.
 */
export type LoadDecompress = () => Promise<NonNullable<BrokerOptions['log']>['decompress']>;

export interface OpenOptions {
  /**
   * The data directory; created if it does not exist. It belongs to one process at a time. Absent: all data
   * is in memory, and gone at the end.
   */
  readonly dir?: string;
  /**
   * The most messages that may be on their way to disk; further publishes wait for their turn. Default
   * 16,384.
   */
  readonly unackedPublishesMax?: number;
  /** Watermarks past which publishes are refused (`storage-full`, `memory-full`). */
  readonly watermarks?: Partial<WatermarkOptions>;
  /**
   * Limits on the number of topics, groups and the like; `limit-reached` is the error beyond them. The
   * defaults follow from the memory available. See docs/limits.md.
   */
  readonly limits?: Partial<BudgetLimits>;
  /** A clock of your own: with a `VirtualClock`, tests need not wait. */
  readonly clock?: Clock;
  /** The randomness behind backoffs and the like: a `SeededRandom` repeats itself. */
  readonly random?: Random;
  /** Called when writing failed: no message is acked from then on. Close the box and end the process. */
  readonly onFailed?: (error: Error) => void;
  /** Called when damage was found in stored data; undamaged data is served. */
  readonly onDamaged?: (report: DamageReport) => void;
  /**
   * The module `@opentelemetry/api`, for spans of publishes and of handlers; the context of a publish travels
   * in the headers of its message. Absent: no spans.
   */
  readonly openTelemetry?: OpenTelemetryApi;
  /**
   * A broker that already runs in this process, such as that of `startServer`. The box opens another handle
   * on it, and leaves it running. Of the options above only `unackedPublishesMax` and
   * `openTelemetry` may be given with it.
   */
  readonly broker?: Broker;
}

/**
 * Opens a box: in memory, for tests and for data that need not last, or in a directory.
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
 * On a virtual clock, time passes only when told:
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
  const { unackedPublishesMax = 16_384, openTelemetry } = options;
  if (options.broker) {
    const { broker } = options;
    const { broker: _, unackedPublishesMax: __, openTelemetry: ___, ...ofItsOwn } = options;
    for (const [name, value] of Object.entries(ofItsOwn))
      if (value !== undefined)
        throw new BoxError(
          'option-invalid',
          `open({ broker }) cannot be called so: the broker has its own ${name} already; leave it out.`,
        );
    const { clock } = broker;
    const keepsProcessAlive = !(clock instanceof VirtualClock);
    return new Box({
      broker,
      clock,
      unackedPublishesMax,
      keepsProcessAlive,
      openTelemetry,
      ownsBroker: false,
    });
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
  return new Box({ broker, clock, unackedPublishesMax, keepsProcessAlive, openTelemetry, ownsBroker: true });
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
  openTelemetry: openTelemetryLike,
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
 * In memory the journal starts small, so that a box for a test opens fast. Only a directory can hold batches
 * that Kafka producers have compressed.
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
