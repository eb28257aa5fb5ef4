import type { Cron } from 'croner';

/** The times of a cron expression. */
export interface CronTimes {
  /** The first time after `timeMs`, in milliseconds since the epoch; undefined if there is none. */
  nextMs(timeMs: number): number | undefined;
}

/**
 * Reads a cron expression of five fields, or of six with seconds first, for a time zone by its IANA name.
 * Throws an error that says what is wrong.
 */
export type CronReader = (expression: string, timeZone: string) => CronTimes;

const utc = new Set(['UTC', 'Etc/UTC', 'Z']);

/** Loads the library for cron expressions, on first use. */
export async function loadCronReader(): Promise<CronReader> {
  const { Cron } = await import('croner');
  return (expression, timeZone) => {
    // The library would take a date, too.
    if (!/^\s*(@\w+|\S+(\s+\S+){4,5})\s*$/.test(expression))
      throw new Error('it must have five fields, or six with seconds first');
    // An offset of 0 needs no look at the rules of a zone, which takes most of the time.
    const zone = utc.has(timeZone) ? { utcOffset: 0 } : { timezone: timeZone };
    const cron = new Cron(expression, { paused: true, mode: '5-or-6-parts', ...zone });
    const times = timesOf(cron);
    // This throws if there is no such time zone.
    if (times.nextMs(0) === undefined) throw new Error('there is no such time');
    return times;
  };
}

function timesOf(cron: Cron): CronTimes {
  return { nextMs: (timeMs) => cron.nextRun(new Date(timeMs))?.getTime() };
}
