import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

/** A line of a chart. */
export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** The name of a variable of the style sheet. */
  readonly colour: string;
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
}

export interface ChartProps {
  /** What the chart shows, for those who do not see it. */
  readonly title: string;
  /** In milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
}

const height = 150;

/** Lines over time. */
export function Chart(props: ChartProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(null);
  const { times, lines, format, title } = props;
  const shape = lines.map(({ label, colour, isDashed }) => `${label} ${colour} ${isDashed === true}`).join();
  useEffect(() => {
    const place = box.current;
    if (!place) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(place, lines, format), dataOf(times, lines), place);
    };
    draw();
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height }));
    sizes.observe(place);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => {
      sizes.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(times, lines)), [times, lines]);
  return (
    <figure class="chart">
      <figcaption>
        {lines.map(({ label, colour, isDashed }) => (
          <span key={label} class={`key ${colour}${isDashed === true ? ' dashed' : ''}`}>
            {label}
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title}: ${spoken(lines, format)}`} />
    </figure>
  );
}

function dataOf(times: readonly number[], lines: readonly Line[]): UPlot.AlignedData {
  return [times.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])];
}

function optionsOf(place: HTMLElement, lines: readonly Line[], format: ChartProps['format']): UPlot.Options {
  const style = getComputedStyle(place);
  const colourOf = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const font = `12px ${style.fontFamily}`;
  const axis: UPlot.Axis = {
    stroke: colourOf('muted'),
    grid: { stroke: colourOf('line'), width: 1 },
    ticks: { show: false },
    font,
  };
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    padding: [6, 8, 0, 0],
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.05, 1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map(timeOf), space: 70, size: 24 },
      { ...axis, values: (_, ticks) => ticks.map(format), size: 66, space: 28 },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, isFilled, isDashed }): UPlot.Series => ({
        label,
        stroke: colourOf(colour),
        width: 1.5,
        points: { show: false },
        ...(isFilled === true ? { fill: `${colourOf(colour)}26` } : {}),
        ...(isDashed === true ? { dash: [5, 4] } : {}),
      })),
    ],
    plugins: [tips(lines, format)],
  };
}

/** The values under the cursor, beside it. */
function tips(lines: readonly Line[], format: ChartProps['format']): UPlot.Plugin {
  const tip = document.createElement('div');
  tip.className = 'tip';
  return {
    hooks: {
      ready: (plot) => plot.over.append(tip),
      setCursor: ({ cursor: { left = -1, idx }, data, over }) => {
        const at = idx ?? -1;
        const ms = data[0][at];
        tip.hidden = left < 0 || ms === undefined;
        if (ms === undefined) return;
        const values = lines.flatMap(({ label }, line) => {
          const value = data[line + 1]?.[at];
          return value === null || value === undefined ? [] : [`${label} ${format(value)}`];
        });
        tip.textContent = [timeOf(ms), ...values].join(' · ');
        tip.style.left = `${Math.max(0, Math.min(left + 10, over.clientWidth - tip.offsetWidth))}px`;
      },
    },
  };
}

function timeOf(seconds: number): string {
  const at = new Date(seconds * 1000);
  const parts = [at.getHours(), at.getMinutes(), ...(at.getSeconds() === 0 ? [] : [at.getSeconds()])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function spoken(lines: readonly Line[], format: ChartProps['format']): string {
  return lines
    .map(({ label, values }) => {
      const known = values.filter((value) => value !== null);
      const last = known.at(-1);
      return last === undefined
        ? `${label}: nothing yet`
        : `${label} ${format(last)}, at most ${format(Math.max(...known))}`;
    })
    .join('; ');
}
