import { refusalCounts } from '../../protocols/index.ts';
import { processFigures } from '../../util/index.ts';
import { syncBounds } from '../sync-times.ts';
import type { AdminContext } from './context.ts';
import { type Families, seconds } from './metric-families.ts';

// The metrics of the server as a whole: of its process, its log, its protocols and its alarms.

/** Limit of the series of alarms per scrape; `pillarbox_metrics_omitted` counts the rest. */
const alarmsMax = 1000;

export function addServer(
  families: Families,
  { broker, doors, adminConnections, version, startedMs }: AdminContext,
): void {
  const { rss, heapUsed, external, cpuMicroseconds } = processFigures();
  const { ready, diskFull, memoryFull, damage, clockJumps, clockAheadMs } = broker.health;
  const { topics, groups, delayed, diskFreeBytes } = broker.stats();
  for (const [budget, { used, limit }] of Object.entries(broker.stats().budgets)) {
    families.gauge('budget_used', 'objects there are, of a kind whose number is limited', used, { budget });
    families.gauge('budget_limit', 'objects of the kind there may be', limit, { budget });
  }
  families.gauge('info', 'what runs here', 1, { version, node: process.versions.node });
  families.gauge('start_time_seconds', 'when the server started, since 1970', startedMs / 1000);
  families.gauge('ready', '1 when clients may be sent here', Number(ready));
  families.gauge(
    'disk_full',
    '1 while publishes are refused because the disk is nearly full',
    Number(diskFull),
  );
  families.gauge(
    'memory_full',
    '1 while publishes are refused because memory is nearly full',
    Number(memoryFull),
  );
  families.gauge('disk_free_bytes', 'free bytes of the disk with the data directory', diskFreeBytes);
  families.gauge(
    'disk_time_to_full_seconds',
    'until publishes are refused for the disk if it fills on like this',
    seconds(broker.stats().diskTimeToFullMs),
  );
  families.gauge('damaged_places', 'places of the log that were found damaged and set aside', damage.length);
  families.counter('clock_jumps_total', 'times that the wall clock jumped by more than a second', clockJumps);
  families.gauge(
    'clock_ahead_seconds',
    'by how much the wall clock is ahead of where it would be without its jumps',
    clockAheadMs / 1000,
  );
  families.gauge('memory_rss_bytes', 'memory of the process', rss);
  families.gauge('memory_heap_bytes', 'memory in JavaScript objects', heapUsed);
  families.gauge('memory_external_bytes', 'memory in buffers', external);
  families.counter('cpu_seconds_total', 'processor time used', cpuMicroseconds / 1e6);
  families.gauge('subscriptions', 'live subscriptions', broker.router.subscriptions);
  families.gauge('topics', 'topics', topics);
  families.gauge('groups', 'groups', groups);
  const { schedules } = broker;
  families.gauge('schedules', 'schedules, ended ones included', schedules.size);
  families.counter('schedule_runs_total', 'messages that schedules published', schedules.counts.runs);
  families.counter(
    'schedule_missed_runs_total',
    'runs of schedules that were passed over',
    schedules.counts.missed,
  );
  families.counter(
    'schedule_failures_total',
    'attempts of schedules that their topic refused',
    schedules.counts.failures,
  );
  families.gauge(
    'schedule_lag_seconds',
    'how late the schedule is that has been due for the longest time',
    schedules.lagMs / 1000,
  );
  families.gauge('delayed_messages', 'delayed messages that wait for their time', delayed);
  for (const { name, connections } of doors)
    families.gauge('connections', 'open connections', connections, { protocol: name });
  families.gauge('connections', 'open connections', adminConnections(), { protocol: 'admin' });
}

export function addLog(families: Families, { broker, syncTimes }: AdminContext): void {
  const { log } = broker.stats();
  families.counter('commits_total', 'commits of the journal', log.commits);
  families.counter('commit_bytes_total', 'bytes of these commits', log.commitBytes);
  families.counter('checkpoints_total', 'checkpoints made', log.checkpoints);
  families.gauge(
    'journal_bytes',
    'live bytes of the journal, not yet freed by a checkpoint',
    log.journalLiveBytes,
  );
  families.gauge('segment_bytes', 'bytes of all segments', log.segmentBytes);
  families.gauge('tail_cache_bytes', 'bytes of the newest messages kept in memory', log.tailCacheBytes);
  families.gauge('unflushed_bytes', 'durable bytes not yet written behind to segments', log.unflushedBytes);
  families.gauge('recovery_seconds', 'how long recovery took at the last start', log.recovery.ms / 1000);
  families.histogram(
    'sync_seconds',
    'time until a write was durable; every acknowledgement waits for one',
    syncBounds,
    syncTimes.counts,
    syncTimes.sumSeconds,
  );
}

export function addRuntime(families: Families, { alarms, runtime, commitWaits }: AdminContext): void {
  const { diskMarkBytes, memoryMarkBytes, heapMarkBytes } = alarms.figures();
  families.gauge('disk_mark_bytes', 'publishes are refused while the disk has less free', diskMarkBytes);
  families.gauge('memory_mark_bytes', 'publishes are refused while memory is above', memoryMarkBytes);
  families.gauge('heap_mark_bytes', 'publishes are refused while the heap is above', heapMarkBytes);
  const delay = 'event_loop_delay_seconds';
  const help = 'how late the event loop was within about ten seconds';
  families.gauge(delay, help, undefined);
  for (const [quantile, name] of [
    ['0.5', 'p50'],
    ['0.99', 'p99'],
    ['1', 'max'],
  ] as const)
    families.gauge(delay, help, runtime.loopDelay?.[name], { quantile });
  families.counter(
    'event_loop_busy_seconds_total',
    'time for which the event loop did not wait for events',
    runtime.loopBusySeconds,
  );
  for (const [kind, { runs, seconds }] of Object.entries(runtime.gc)) {
    families.counter('gc_runs_total', 'garbage collections', runs, { kind });
    families.counter('gc_seconds_total', 'time of garbage collections', seconds, { kind });
  }
  const { counts, sumSeconds } = commitWaits.times;
  families.histogram(
    'commit_wait_seconds',
    'time until a change was on disk, sampled once a second while there are commits',
    syncBounds,
    counts,
    sumSeconds,
  );
}

const trafficMetrics = [
  ['connections', 'protocol_connections_total', 'connections since the start'],
  ['inBytes', 'protocol_in_bytes_total', 'bytes received from clients'],
  ['outBytes', 'protocol_out_bytes_total', 'bytes sent to clients'],
  ['requests', 'protocol_requests_total', 'requests, of protocols that have requests'],
  [
    'inMessages',
    'protocol_in_messages_total',
    'messages received from clients, of protocols that count them',
  ],
  ['outMessages', 'protocol_out_messages_total', 'messages sent to clients, of protocols that count them'],
] as const;

export async function addTraffic(families: Families, { connections }: AdminContext): Promise<void> {
  const [refused, help] = [
    'protocol_refused_total',
    'refusals of the broker that clients were told',
  ] as const;
  families.set('counter', refused, help, undefined);
  for (const { protocol, cause, count } of refusalCounts())
    families.counter(refused, help, count, { protocol, cause });
  const traffic = await connections.traffic(() => new Promise(setImmediate));
  for (const [key, name, help] of trafficMetrics) {
    families.set('counter', name, help, undefined); // the family is there before the first connection, too
    for (const [protocol, counts] of traffic) families.set('counter', name, help, counts[key], { protocol });
  }
}

export function addAlarms(families: Families, { alarms }: AdminContext): void {
  families.gauge('alarm', '1 for each alarm that fires', undefined); // the family is there without any, too
  let { omitted } = alarms.watch;
  for (const { state, rule, topic, group, level } of alarms.watch.list()) {
    if (state !== 'firing') continue;
    const isShown = families.countOf('alarm') < alarmsMax;
    if (!isShown) omitted++;
    else families.gauge('alarm', '', 1, { rule, topic: topic ?? '', group: group ?? '', level });
  }
  families.gauge(
    'metrics_omitted',
    'topics, groups or alarms left out of the metrics, because there are too many',
    omitted,
    { kind: 'alarm' },
  );
  for (const [to, counts] of Object.entries(alarms.noticeCounts()))
    for (const [outcome, count] of Object.entries(counts))
      families.counter(
        'alarm_notices_total',
        'changes of alarms for webhooks and for the alarm topic',
        count,
        {
          to,
          outcome,
        },
      );
}
