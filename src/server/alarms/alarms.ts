import { join } from 'node:path';
import { type Broker, RealFiles } from '../../broker/index.ts';
import { type Hall, Task } from '../../protocols/index.ts';
import { heapBytes, memoryLimitBytes, processFigures } from '../../util/index.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { SyncTimes } from '../sync-times.ts';
import type { AlarmChange } from './alarm.ts';
import { alarmFileName } from './alarm-file.ts';
import { AlarmKeeper } from './alarm-keeper.ts';
import { AlarmPolicy } from './alarm-settings.ts';
import type { ServerFigures } from './server-readings.ts';
import type { NoticeCounts } from './notice.ts';
import { Shedder } from './shedder.ts';
import { shedPolicies } from './shed-settings.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { Webhook } from './webhook.ts';
import { webhookOptions } from './webhook-settings.ts';
import { AlarmWatch } from './watch.ts';

/** What the alarms need of the server around them. */
export interface AlarmsContext {
  readonly broker: Broker;
  readonly hall: Hall;
  readonly settings: Settings;
  readonly dataDirectory: string;
  readonly syncTimes: SyncTimes;
  readonly log: Log;
  /** Alarms that fire are kept there over a restart; undefined: they are not kept. */
  readonly keptIn: string | undefined;
}

/** The alarms of a server: the watch, and those that are told. */
export interface Alarms {
  readonly watch: AlarmWatch;
  /** What became of the notices to webhooks, and to the alarm topic if there is one. */
  readonly noticeCounts: () => { readonly webhook: NoticeCounts; readonly topic: NoticeCounts };
  readonly shedder: Shedder;
  /** The figures of the server that its rules measure. */
  readonly figures: () => ServerFigures;
  start(): void;
  /** Resolves when the alarms that fire are kept for the next start. */
  stop(): Promise<void>;
}

/** Puts the alarms of a server together. */
export async function openAlarms(context: AlarmsContext): Promise<Alarms> {
  const { broker, hall, settings, syncTimes, log, keptIn } = context;
  let isStopped = false;
  const task = new Task(hall.turns, () => isStopped);
  const figures = await figuresOf(context);
  const shedder = new Shedder(shedPolicies(settings.shedding ?? []), {
    broker,
    onNote: (sentence) => log.warn(sentence),
  });
  const watch = new AlarmWatch({
    broker,
    shedder,
    syncTimes,
    policy: new AlarmPolicy(settings.alarms),
    intervalMs: settings.alarmIntervalMs,
    alarmsMax: settings.alarmsMax,
    figures,
    rest: () => task.rest(),
    onError: (error) => log.error('the alarms could not be evaluated', { error }),
    onEvaluated: () => keeper?.keep(),
  });
  const keeper = keptIn === undefined ? undefined : new AlarmKeeper(watch, join(keptIn, alarmFileName), log);
  await keeper?.restore();
  watch.subscribe((change) => logChange(log, change));
  const webhooks = openWebhooks(context);
  const topic = openTopic(context);
  for (const told of [...webhooks, ...(topic ? [topic] : [])]) watch.subscribe((change) => told.tell(change));
  return {
    watch,
    shedder,
    figures,
    noticeCounts: () => ({
      webhook: sumOf(webhooks.map(({ counts }) => counts)),
      topic: sumOf(topic ? [topic.counts] : []),
    }),
    start: () => watch.start(),
    stop: async () => {
      isStopped = true;
      watch.stop();
      for (const webhook of webhooks) webhook.stop();
      await keeper?.close();
    },
  };
}

function openWebhooks({ broker, settings, log }: AlarmsContext): readonly Webhook[] {
  const host = {
    clock: broker.clock,
    broker: Buffer.from(broker.uuid).toString('hex'),
    onTrouble: (reason: string, url: string) =>
      log.error(`alarms do not reach the webhook ${url}: ${reason}; look at its receiver`, { url }),
  };
  return webhookOptions(settings.alarmWebhooks ?? []).map((options) => new Webhook(options, host));
}

function openTopic({ broker, settings: { alarmTopic }, log }: AlarmsContext): AlarmTopic | undefined {
  if (alarmTopic === undefined) return undefined;
  return new AlarmTopic(alarmTopic, broker, (error) =>
    log.error(`alarms do not reach the topic "${alarmTopic}"`, { error }),
  );
}

function sumOf(counts: readonly NoticeCounts[]): NoticeCounts {
  const sum: NoticeCounts = { delivered: 0, failed: 0, dropped: 0 };
  for (const { delivered, failed, dropped } of counts) {
    sum.delivered += delivered;
    sum.failed += failed;
    sum.dropped += dropped;
  }
  return sum;
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
