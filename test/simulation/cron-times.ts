/** A cron expression of scripts, and what its times are, told in another way than by reading it. */
export interface CronLine {
  readonly cron: string;
  readonly timeZone?: string;
  /** Its times are multiples of this, in milliseconds since the epoch. */
  readonly everyMs: number;
  /** Its times are in `[fromMs, toMs)` of each so long time; absent: at any time. */
  readonly window?: { readonly ofMs: number; readonly fromMs: number; readonly toMs: number };
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/**
 * Lives begin at 22:13:20 UTC, in November 2023: 3:58:20 in Kathmandu (UTC+5:45), 18:43:20 in St. John's
 * (UTC-3:30).
 */
export const cronLines: readonly CronLine[] = [
  { cron: '*/5 * * * * *', everyMs: 5 * secondMs },
  {
    // the even minutes there are the odd ones of UTC
    cron: '*/10 */2 * * * *',
    timeZone: 'Asia/Kathmandu',
    everyMs: 10 * secondMs,
    window: { ofMs: 2 * minuteMs, fromMs: minuteMs, toMs: 2 * minuteMs },
  },
  { cron: '* * * * *', timeZone: 'Europe/Berlin', everyMs: minuteMs },
  {
    cron: '*/15 44-46 * * * *',
    timeZone: 'America/St_Johns',
    everyMs: 15 * secondMs,
    window: { ofMs: hourMs, fromMs: 14 * minuteMs, toMs: 17 * minuteMs },
  },
  {
    cron: '*/10 * 4 * * *',
    timeZone: 'Asia/Kathmandu',
    everyMs: 10 * secondMs,
    window: { ofMs: 24 * hourMs, fromMs: 22 * hourMs + 15 * minuteMs, toMs: 23 * hourMs + 15 * minuteMs },
  },
];

export function cronLineOf(cron: string): CronLine {
  return cronLines.find((line) => line.cron === cron)!;
}

/** The first of its times after that one. */
export function cronTimeAfter({ everyMs, window }: CronLine, timeMs: number): number {
  const nextMs = (Math.floor(timeMs / everyMs) + 1) * everyMs;
  if (!window) return nextMs;
  const { ofMs, fromMs, toMs } = window;
  const inWindowMs = nextMs % ofMs;
  if (inWindowMs < fromMs) return nextMs - inWindowMs + fromMs;
  return inWindowMs < toMs ? nextMs : nextMs - inWindowMs + ofMs + fromMs;
}
