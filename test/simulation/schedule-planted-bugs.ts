import type { PlantedBug } from './planted-bug.ts';

/** Planted bugs of cron expressions, and of the runs that were missed. */
export const schedulePlantedBugs: readonly PlantedBug[] = [
  {
    name: 'a cron expression is read in UTC, whatever its zone',
    file: 'broker/schedules/timetables.js',
    find: 'this.reader(expression, timeZone)',
    replace: "this.reader(expression, 'UTC')",
  },
  {
    name: 'a cron schedule looks away from its end',
    file: 'broker/schedules/timetable.js',
    find: 'nextMs === undefined || nextMs > endMs ? undefined : nextMs',
    replace: 'nextMs',
  },
  {
    name: 'of the missed runs of a cron schedule the first is made up for',
    file: 'broker/schedules/timetable.js',
    find: 'lastMs = nextMs;',
    replace: ';',
  },
  {
    name: 'all missed runs are made up for as one',
    file: 'broker/schedules/run-publisher.js',
    find: "policy === 'all'",
    replace: 'false',
  },
  {
    name: 'missed runs are made up for one by one',
    file: 'broker/schedules/run-publisher.js',
    find: "policy === 'all'",
    replace: 'true',
  },
  {
    name: 'a run that is late is not skipped',
    file: 'broker/schedules/run-publisher.js',
    find: "policy !== 'skip' ||",
    replace: 'true ||',
  },
];
