import type { CronReader, CronTimes } from '../../util/index.ts';
import { BrokerError } from '../errors.ts';
import type { ScheduleConfig } from './schedule-config.ts';
import { timetableOf, type Timetable } from './timetable.ts';

/** A cron expression that was read takes some 80 KiB with a time zone, and about a third of a millisecond. */
const keptMax = 100;

/** The timetables of schedules. Cron expressions that were read are kept, the last ones used. */
export class Timetables {
  /** Undefined: not loaded yet. */
  reader: CronReader | undefined = undefined;
  readonly #kept = new Map<string, CronTimes>();

  /** The timetable of a configuration that was checked. */
  of(config: ScheduleConfig): Timetable {
    const { cron, timeZone = 'UTC' } = config;
    return timetableOf(config, cron === undefined ? undefined : this.#cron(cron, timeZone));
  }

  /**
   * Throws a BrokerError of code `schedule-config-invalid` if the cron expression or the zone is not valid.
   */
  check(config: ScheduleConfig): void {
    const { name, cron, timeZone = 'UTC' } = config;
    if (cron === undefined) return;
    try {
      this.#cron(cron, timeZone);
    } catch (error) {
      const what = config.timeZone === undefined ? `"${cron}"` : `"${cron}" in time zone "${timeZone}"`;
      throw new BrokerError(
        'schedule-config-invalid',
        `Schedule "${name}" cannot be configured so: ${what} is not a cron expression: ${(error as Error).message}.`,
        { schedule: name },
        error,
      );
    }
  }

  #cron(expression: string, timeZone: string): CronTimes {
    const id = `${expression}\n${timeZone}`;
    const times = this.#kept.get(id) ?? this.reader!(expression, timeZone);
    this.#kept.delete(id);
    this.#kept.set(id, times); // as the last one used
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) break;
      this.#kept.delete(oldest);
    }
    return times;
  }
}
