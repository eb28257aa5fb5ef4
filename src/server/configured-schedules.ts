import { BrokerError, type Broker, type ScheduleOptions } from '../broker/index.ts';
import { ServerError } from './errors.ts';
import type { Log } from './log.ts';

/**
 * Defines the schedules of the configuration, each as soon as its topic exists. What a schedule of the
 * configuration published before, and whether it is paused, stays; schedules that are not in the
 * configuration stay, too. Rejects with a ServerError if a time of one is not valid.
 */
export async function defineSchedules(
  broker: Broker,
  schedules: readonly ScheduleOptions[],
  log: Log,
): Promise<void> {
  broker.events.subscribe((event) => {
    if (event.kind !== 'topic-created') return;
    for (const schedule of schedules)
      if (schedule.topic === event.topic.name)
        define(broker, schedule, log).catch((error: unknown) => refused(schedule, error, log));
  });
  await Promise.all(schedules.map((schedule) => define(broker, schedule, log)));
}

async function define(broker: Broker, schedule: ScheduleOptions, log: Log): Promise<void> {
  try {
    await broker.schedules.define(schedule);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (error.code === 'schedule-config-invalid')
      throw new ServerError('configuration-invalid', error.message, error);
    if (error.code === 'topic-not-found')
      log.info(`schedule "${schedule.name}" begins when its topic "${schedule.topic}" is created`);
    else refused(schedule, error, log);
  }
}

function refused({ name }: ScheduleOptions, error: unknown, log: Log): void {
  const reason = error instanceof Error ? error.message : String(error);
  log.error(`schedule "${name}" of the configuration is not defined: ${reason}`, { error });
}
