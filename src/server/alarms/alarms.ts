import { type Broker, RealFiles } from '../../broker/index.ts';
import { type Hall, Task } from '../../protocols/index.ts';
import { heapBytes, memoryLimitBytes, processFigures } from '../../util/index.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { SyncTimes } from '../sync-times.ts';
import type { AlarmChange } from './alarm.ts';
import { AlarmPolicy } from './alarm-settings.ts';
import type { ServerFigures } from './server-readings.ts';
import { AlarmWatch } from './watch.ts';

/** What the alarms need of the server around them. */
export interface AlarmsContext {
  readonly broker: Broker;
  readonly hall: Hall;
  readonly settings: Settings;
  readonly dataDirectory: string;
  readonly syncTimes: SyncTimes;
  readonly log: Log;
}

/** The alarms of a server: the watch, and those who are told. */
export interface Alarms {
  readonly watch: AlarmWatch;
  start(): void;
  stop(): void;
}

/** Puts the alarms of a server together. */
export async function openAlarms(context: AlarmsContext): Promise<Alarms> {
  const { broker, hall, settings, syncTimes, log } = context;
  let isStopped = false;
  const task = new Task(hall.turns, () => isStopped);
  const watch = new AlarmWatch({
    broker,
    syncTimes,
    policy: new AlarmPolicy(settings.alarms),
    intervalMs: settings.alarmIntervalMs,
    alarmsMax: settings.alarmsMax,
    figures: await figuresOf(context),
    rest: () => task.rest(),
    onError: (error) => log.error('the alarms could not be evaluated', { error }),
  });
  watch.subscribe((change) => logChange(log, change));
  return {
    watch,
    start: () => watch.start(),
    stop: () => {
      isStopped = true;
      watch.stop();
    },
  };
}

/** One line per change. */
function logChange(log: Log, { change, alarm }: AlarmChange): void {
  const { rule, topic, group, level, reason, remedy, sinceMs } = alarm;
  const since = new Date(sinceMs).toISOString();
  const fields = { alarm: change, rule, topic, group, level, since, reason, remedy };
  if (change === 'resolved') log.info(`alarm is over: ${reason}`, fields);
  else log.warn(`alarm (${level}): ${reason} ${remedy}`, fields);
}

// The marks that the broker has by default: see watermarks.ts there, and open-broker.ts.
const diskMarkBytes = 256 * 1024 * 1024;
const diskMarkShare = 1 / 8;
const memoryShare = 0.75;
const heapShare = 0.85;

async function figuresOf(context: AlarmsContext): Promise<() => ServerFigures> {
  const { broker, settings, dataDirectory } = context;
  const { totalBytes } = await new RealFiles().space(dataDirectory).catch(() => ({ totalBytes: Infinity }));
  const marks = {
    diskMarkBytes:
      settings.diskFreeBytesMin ?? Math.min(diskMarkBytes, Math.floor(totalBytes * diskMarkShare)),
    memoryMarkBytes: settings.memoryBytesMax ?? Math.floor(memoryLimitBytes() * memoryShare),
    heapMarkBytes: settings.heapBytesMax ?? heapBytes().limit * heapShare,
  };
  return () => {
    const { diskFreeBytes, diskTimeToFullMs } = broker.stats();
    const memoryBytes = processFigures().rss;
    return {
      diskFreeBytes,
      diskTimeToFullMs,
      memoryBytes,
      heapBytes: heapBytes().used,
      dataDirectory,
      ...marks,
    };
  };
}
