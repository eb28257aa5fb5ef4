import type { Load, LoadReport } from '../load/index.ts';
import type { Scratch } from '../scratch.ts';
import type { Contender, ContenderName, ServerProcess } from '../servers/index.ts';
import type { Settings } from '../settings.ts';

export type Unit = 'msg/s' | 'MB/s' | 'µs' | 'ms' | 'MB' | 'MiB' | 's/GiB' | 'messages' | '×';

/** What the project set out to reach; a ratio is pillarbox ÷ the other. */
export type Goal =
  | { readonly kind: 'ratio'; readonly against: ContenderName; readonly least: number }
  | { readonly kind: 'most'; readonly value: number }
  | { readonly kind: 'least'; readonly value: number };

/** Metric is one figure that a measurement yields: the field `key` of its samples. */
export interface Metric {
  readonly key: string;
  readonly label?: string;
  readonly unit: Unit;
  readonly goals?: readonly Goal[];
}

/** Sample is what one measurement of one server yielded. */
export type Sample = Readonly<Record<string, number>>;

/** Cores that the server and the busiest generator kept busy; a generator near 1 was the limit itself. */
export const coresKeys = { server: 'serverCores', load: 'loadCores' } as const;

/** Row is one line of a case: a measurement that is taken of each contender in turn. */
export interface Row {
  readonly label: string;
  readonly contenders: readonly ContenderName[];
  readonly metrics: readonly Metric[];
  /** At most so many turns, however many are asked for: some measurements take minutes. */
  readonly roundsMax?: number;
  /** Measured once without counting before the first turn; for servers that stay up during the case. */
  readonly hasWarmUp: boolean;
  measure(contender: Contender, bench: Workbench, seconds: number): Promise<Sample>;
}

/** Case is a table of the results. */
export interface Case {
  readonly id: string;
  readonly title: string;
  /** One or two sentences on what is measured, printed above the table. */
  readonly about: string;
  rows(settings: Settings): readonly Row[];
  /** Sentences that compare rows with one another. */
  remarks?(rows: readonly RowResult[]): readonly string[];
}

/** RowResult is a row with what was measured. */
export interface RowResult {
  readonly label: string;
  readonly metrics: readonly Metric[];
  readonly samples: Partial<Record<ContenderName, Sample[]>>;
  readonly failures: Partial<Record<ContenderName, string>>;
}

/** Workbench is what a measurement may use. */
export interface Workbench {
  readonly settings: Settings;
  readonly scratch: Scratch;
  /** The server of a contender that stays up during the case. */
  server(contender: Contender): Promise<ServerProcess>;
  /** Lets the disk finish what earlier measurements left to it, so that none pays for another. */
  settleDisk(): void;
}

export const everyone: readonly ContenderName[] = ['pillarbox', 'nats-server', 'nats-server, synced'];
export const both: readonly ContenderName[] = ['pillarbox', 'nats-server'];

/** Runs `work` with generators that are ended whatever happens. */
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
