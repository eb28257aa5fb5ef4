import { coresKeys, type Goal, type Metric, type RowResult, type Unit } from './cases/index.ts';
import type { CaseResult } from './run.ts';
import type { ContenderName } from './servers/index.ts';
import { ratioOf, spreadOf, type Spread } from './statistics.ts';
import type { Table } from './table.ts';

const ours: ContenderName = 'pillarbox';
const others: readonly ContenderName[] = [
  'before',
  'users',
  'configured',
  'nats-server',
  'nats-server, synced',
  'kafka',
  'rabbitmq',
  'rabbitmq, quorum',
  'fauxqs',
  'fauxqs, SQLite',
  'elasticmq',
  'elasticmq, H2',
];
const nothing = '–';

/** The table of a case: per metric the median of each server, our ratio to the others, and the goal. */
export function resultTable(result: CaseResult): Table {
  const measured = [ours, ...others].filter((name) =>
    result.rows.some((row) => row.samples[name] !== undefined || row.failures[name] !== undefined),
  );
  const compared = measured.includes(ours) ? measured.filter((name) => name !== ours) : [];
  const ratioHeadings = compared.map((name) => `÷ ${name} (min–max)`);
  const hasGoals = result.rows.some((row) => row.metrics.some((metric) => metric.goals !== undefined));
  const hasCores = result.rows.some((row) => hasKey(row, coresKeys.server));
  const heading = [
    '',
    ...measured,
    ...ratioHeadings,
    ...(hasGoals ? ['goal'] : []),
    ...(hasCores ? ['server cores', 'load cores'] : []),
  ];
  const lines = result.rows.flatMap((row) =>
    row.metrics.map((metric) => [
      metric.label === undefined ? row.label : `${row.label}, ${metric.label}`,
      ...measured.map((name) => valueCell(row, metric, name)),
      ...compared.map((name) => ratioCell(ratio(row, metric, name))),
      ...(hasGoals ? [(metric.goals ?? []).map((goal) => goalCell(row, metric, goal)).join('; ')] : []),
      ...(hasCores ? [coresCell(row, measured, 'server'), coresCell(row, measured, 'load')] : []),
    ]),
  );
  return [heading, ...lines];
}

function valuesOf(row: RowResult, key: string, name: ContenderName): number[] {
  return (row.samples[name] ?? []).map((sample) => sample[key] ?? Number.NaN);
}

function hasKey(row: RowResult, key: string): boolean {
  return Object.values(row.samples).some((samples) => samples.some((sample) => key in sample));
}

function ratio(row: RowResult, metric: Metric, name: ContenderName): Spread {
  return ratioOf(valuesOf(row, metric.key, ours), valuesOf(row, metric.key, name));
}

function valueCell(row: RowResult, metric: Metric, name: ContenderName): string {
  if (row.failures[name] !== undefined) return 'failed';
  return formatValue(spreadOf(valuesOf(row, metric.key, name)).median, metric.unit);
}

function ratioCell({ median, minimum, maximum }: Spread): string {
  if (!Number.isFinite(median)) return nothing;
  return `${formatRatio(median)} (${formatRatio(minimum)}–${formatRatio(maximum)})`;
}

function coresCell(row: RowResult, names: readonly ContenderName[], which: 'server' | 'load'): string {
  return names
    .map((name) => spreadOf(valuesOf(row, coresKeys[which], name)).median)
    .map((cores) => (Number.isFinite(cores) ? cores.toFixed(2) : nothing))
    .join(' / ');
}

function goalCell(row: RowResult, metric: Metric, goal: Goal): string {
  if (goal.kind === 'ratio') {
    const { median } = ratio(row, metric, goal.against);
    const against = goal.against === 'nats-server, synced' ? ' synced' : '';
    return `≥ ${goal.least}×${against}${verdict(median, median >= goal.least)}`;
  }
  const { median } = spreadOf(valuesOf(row, metric.key, ours));
  if (goal.kind === 'least')
    return `≥ ${formatValue(goal.value, metric.unit)}${verdict(median, median >= goal.value)}`;
  return `≤ ${formatValue(goal.value, metric.unit)}${verdict(median, median <= goal.value)}`;
}

function verdict(measured: number, isReached: boolean): string {
  if (!Number.isFinite(measured)) return '';
  return isReached ? ' reached' : ' missed';
}

function formatRatio(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)}×`;
}

/** Three significant digits; counts with a comma per thousand. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return nothing;
  const rounded = value === 0 ? 0 : Number(value.toPrecision(3));
  const number = rounded.toLocaleString('en-US', { maximumSignificantDigits: 3 });
  return unit === '×' ? `${number}×` : `${number} ${unit}`;
}
