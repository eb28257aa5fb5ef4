import type { Load, LoadReport } from '../load/index.ts';
import type { Scratch } from '../scratch.ts';
import type { Contender, ContenderName, ServerProcess } from '../servers/index.ts';
import type { Settings } from '../settings.ts';

export type Unit = 'msg/s' | 'MB/s' | 'µs' | 'ms' | 'MB' | 'MiB' | 's/GiB' | 'messages' | 'cores' | '×';

/** A goal of the project; a ratio is pillarbox ÷ the other server. */
export type Goal =
  | { readonly kind: 'ratio'; readonly against: ContenderName; readonly least: number }
  | { readonly kind: 'most'; readonly value: number }
  | { readonly kind: 'least'; readonly value: number };

/** A metric is one figure of a measurement: the field `key` of its samples. */
export interface Metric {
  readonly key: string;
  readonly label?: string;
  readonly unit: Unit;
  readonly goals?: readonly Goal[];
}

/** A sample is the result of one measurement of one server. */
export type Sample = Readonly<Record<string, number>>;

/**
 * Cores that the server and the busiest generator kept busy. If a generator is near 1, the generator was the
 * limit.
 */
export const coresKeys = { server: 'serverCores', load: 'loadCores' } as const;

/** A row is one line of a case: a measurement that is taken of each contender in turn. */
export interface Row {
  readonly label: string;
  readonly contenders: readonly ContenderName[];
  readonly metrics: readonly Metric[];
  /** The most turns of this row, even if more are requested: some measurements take minutes. */
  readonly roundsMax?: number;
  /** Whether an uncounted measurement precedes the first turn; for servers that stay up during the case. */
  readonly hasWarmUp: boolean;
  measure(contender: Contender, bench: Workbench, seconds: number): Promise<Sample>;
}

/** A case is a table of results. */
export interface Case {
  readonly id: string;
  readonly title: string;
  /** One or two sentences about the measurement, printed above the table. */
  readonly about: string;
  rows(settings: Settings): readonly Row[];
  /** Sentences that compare rows with one another. */
  remarks?(rows: readonly RowResult[]): readonly string[];
}

/** The results of a row. */
export interface RowResult {
  readonly label: string;
  readonly metrics: readonly Metric[];
  readonly samples: Partial<Record<ContenderName, Sample[]>>;
  readonly failures: Partial<Record<ContenderName, string>>;
}

/** A workbench has the means of a measurement. */
export interface Workbench {
  readonly settings: Settings;
  readonly scratch: Scratch;
  /** The contender's server, which stays up during the case. */
  server(contender: Contender): Promise<ServerProcess>;
  /** Lets the disk finish the work of earlier measurements, so that it does not affect the next one. */
  settleDisk(): void;
}

export const everyone: readonly ContenderName[] = ['pillarbox', 'nats-server', 'nats-server, synced'];
export const both: readonly ContenderName[] = ['pillarbox', 'nats-server'];

/** Runs `work` with generators, and ends them in any case. */
export async function withLoads<T>(
  loads: readonly Promise<Load>[],
  work: (loads: readonly Load[]) => Promise<T>,
): Promise<T> {
  const settled = await Promise.allSettled(loads);
  const started = settled.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
  try {
    for (const load of settled) if (load.status === 'rejected') throw load.reason;
    return await work(started);
  } finally {
    for (const load of started) load.end();
  }
}

/** Measures the cores that a server uses while `work` runs, next to those of the generators. */
export async function withCores(
  server: ServerProcess,
  work: () => Promise<{ sample: Sample; reports: readonly LoadReport[] }>,
): Promise<Sample> {
  const before = server.cpuSeconds;
  const { sample, reports } = await work();
  const startMs = Math.min(...reports.map((report) => report.startMs));
  const endMs = Math.max(...reports.map((report) => report.endMs));
  return {
    ...sample,
    [coresKeys.server]: ((server.cpuSeconds - before) * 1e3) / (endMs - startMs),
    [coresKeys.load]: Math.max(...reports.map((report) => report.cores)),
  };
}
