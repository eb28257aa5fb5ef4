import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { HistoryJson } from '../../admin-api/index.ts';
import { count, duration, rate } from '../format.ts';
import { project, type Projection } from '../projection.ts';
import { goQuery } from '../route.ts';
import { useWatch } from '../stream.ts';
import { Chart } from './chart.tsx';

/** The graphs of a topic or a group: rates, and the backlog with where it goes. */
export function History(props: {
  /** The route of its history. */
  readonly path: string;
  readonly range: string;
  /** What `out` is: delivered or answered. */
  readonly out: string;
  readonly level: string;
  readonly projection: Projection | undefined;
  /** The projection in words. */
  readonly words: string;
}): VNode {
  const { value } = useWatch<HistoryJson>(props.path);
  const isDay = props.range === 'day';
  const track = isDay ? value?.coarse : value?.fine;
  const { perSecond, end, inMs } = props.projection ?? {};
  const projected = useMemo(() => track && project(track, props.projection), [track, perSecond, end, inMs]);
  const times = projected?.times ?? [];
  const pad = <T,>(values: readonly T[]): (T | null)[] => [
    ...values,
    ...Array.from({ length: Math.max(0, times.length - values.length) }, () => null),
  ];
  const rates = useMemo(
    () => [
      { label: 'in', values: pad(track?.in ?? []), colour: 'in', isFilled: true },
      { label: props.out, values: pad(track?.out ?? []), colour: 'out' },
    ],
    [projected],
  );
  const levels = useMemo(
    () => [
      { label: props.level, values: projected?.known ?? [], colour: 'in', isFilled: true },
      { label: 'if rates stay', values: projected?.future ?? [], colour: 'warning', isDashed: true },
    ],
    [projected],
  );
  return (
    <section>
      <div class="head">
        <h2>The last {track ? duration(track.stepMs * track.in.length) : props.range}</h2>
        <span class="muted">{props.words}</span>
        <span class="end row" role="group" aria-label="Range">
          {['hour', 'day'].map((range) => (
            <button
              key={range}
              type="button"
              aria-pressed={isDay === (range === 'day')}
              onClick={() => goQuery({ range: range === 'hour' ? undefined : range }, { replace: true })}
            >
              {range}
            </button>
          ))}
        </span>
      </div>
      <div class="charts">
        <Chart title="Rates" times={times} lines={rates} format={rate} />
        <Chart title={props.level} times={times} lines={levels} format={count} />
      </div>
    </section>
  );
}
