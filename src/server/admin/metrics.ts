import type * as PromClient from 'prom-client';
import { messagesByPriority, type Group, type Topic } from '../../broker/index.ts';
import { refusalCounts } from '../../protocols/index.ts';
import { processFigures } from '../../util/index.ts';
import { syncBounds } from '../sync-times.ts';
import { type AdminContext, checkMayAll } from './context.ts';
import { deadLetterTopics } from './dead-letters.ts';
import type { AdminReply, AdminRequest } from './http.ts';

/**
 * Limits of the series per scrape, however many topics clients create; `pillarbox_metrics_omitted` counts the
 * rest.
 */
const topicsMax = 1000;
const groupsMax = 2000;
const alarmsMax = 1000;
/** Series of one topic by priority; with more priorities, a series is for a range of them. */
const bandsMax = 16;

type Labels = { readonly [name: string]: string };

/** One family of metrics: its name and help, with its values as of this scrape. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly values: { labels: Labels; value: number; metricName?: string }[];
}

/** Loads prom-client with the first scrape, because that takes a tenth of the start-up time. */
export async function loadMetrics(): Promise<Pick<typeof PromClient, 'Registry'>> {
  return import('prom-client');
}

/** `GET /metrics`: all values are read from the broker on request, so that unused metrics cost nothing. */
export async function metrics({ access }: AdminRequest, context: AdminContext): Promise<AdminReply> {
  checkMayAll('manage', access);
  const { Registry } = await loadMetrics();
  const registry = new Registry();
  for (const family of await collectFamilies(context)) {
    // The registry takes any object with a name and a function for its values; prom-client's own classes
    // count by themselves.
    const metric = { name: family.name, get: () => Promise.resolve({ ...family, aggregator: 'sum' }) };
    registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0]);
  }
  return { kind: 'text', type: registry.contentType, body: await registry.metrics() };
}

/**
 * All families with their values. The names are stable: docs/admin-api.md lists them, and a test compares.
 */
export async function collectFamilies(context: AdminContext): Promise<readonly Family[]> {
  const families = new Families();
  addServer(families, context);
  addLog(families, context);
  addAlarms(families, context);
  addRuntime(families, context);
  await addTraffic(families, context);
  await addTopics(families, context);
  await addGroups(families, context);
  return families.all;
}

class Families {
  readonly #byName = new Map<string, Family>();

  get all(): readonly Family[] {
    return [...this.#byName.values()];
  }

  countOf(name: string): number {
    return this.#byName.get(name)?.values.length ?? 0;
  }

  set(
    type: Family['type'],
    name: string,
    help: string,
    value: number | null | undefined,
    labels: Labels = {},
  ): void {
    let family = this.#byName.get(name);
    if (!family) this.#byName.set(name, (family = { name: `pillarbox_${name}`, help, type, values: [] }));
    if (value !== null && value !== undefined) family.values.push({ labels, value });
  }

  gauge(name: string, help: string, value: number | null | undefined, labels?: Labels): void {
    this.set('gauge', name, help, value, labels);
  }

  counter(name: string, help: string, value: number, labels?: Labels): void {
    this.set('counter', name, help, value, labels);
  }

  /** `counts[i]` are the values up to `bounds[i]`; the last count is for values beyond all bounds. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
  ): void {
    this.set('histogram', name, help, undefined);
    const values = this.#byName.get(name)?.values;
    let below = 0;
    for (const [at, count] of counts.entries()) {
      below += count;
      const le = at < bounds.length ? String(bounds[at]) : '+Inf';
      values?.push({ labels: { le }, value: below, metricName: `pillarbox_${name}_bucket` });
    }
    values?.push({ labels: {}, value: sum, metricName: `pillarbox_${name}_sum` });
    values?.push({ labels: {}, value: below, metricName: `pillarbox_${name}_count` });
  }
}

function addServer(
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

function addLog(families: Families, { broker, syncTimes }: AdminContext): void {
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

function addRuntime(families: Families, { alarms, runtime, commitWaits }: AdminContext): void {
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

async function addTraffic(families: Families, { connections }: AdminContext): Promise<void> {
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

function addAlarms(families: Families, { alarms }: AdminContext): void {
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

function addPriorities(families: Families, topic: Topic, labels: Labels): void {
  const name = 'topic_priority_messages';
  const help = 'messages stored, by priority or range of priorities';
  families.gauge(name, help, undefined); // the family is there without any such topic, too
  for (const [priority, count] of priorityBands(messagesByPriority(topic) ?? []))
    families.gauge(name, help, count, { ...labels, priority });
}

/** At most {@link bandsMax} counts, each with its priority or range of priorities. */
function* priorityBands(counts: readonly number[]): Iterable<[band: string, count: number]> {
  const width = Math.ceil(counts.length / bandsMax);
  for (let from = 0; from < counts.length; from += width) {
    const to = Math.min(from + width, counts.length);
    let sum = 0;
    for (let priority = from; priority < to; priority++) sum += counts[priority]!;
    yield [to - from === 1 ? String(from) : `${from}-${to - 1}`, sum];
  }
}

async function addTopics(families: Families, context: AdminContext): Promise<void> {
  const { broker, oldestTimes } = context;
  const topics = largest([...broker.topics.values()], topicsMax, (topic) => topic.durableCount);
  families.gauge('metrics_omitted', '', broker.topics.size - topics.length, { kind: 'topic' });
  const nowMs = Date.now();
  for (const topic of topics) {
    const labels = { topic: topic.name };
    const stats = topic.stats();
    families.gauge('topic_messages', 'messages stored', stats.messages, labels);
    families.gauge('topic_bytes', 'bytes stored, about', stats.bytes, labels);
    families.counter('topic_published_total', 'messages published since the start', stats.published, labels);
    families.gauge('topic_expiring', 'messages with a time to live of their own', stats.expiring, labels);
    for (const [cause, count] of Object.entries(stats.left))
      families.counter('topic_left_total', 'messages that left without an answer of a group', count, {
        ...labels,
        cause,
      });
    families.counter(
      'topic_dead_lettered_total',
      'messages that became dead letters',
      stats.deadLettered,
      labels,
    );
    families.counter(
      'topic_dead_letters_lost_total',
      'messages that were to become dead letters and were removed without',
      stats.deadLettersLost,
      labels,
    );
    for (const [what, count] of Object.entries(stats.overRate))
      families.counter('topic_over_rate_total', 'publishes beyond the rate of the topic', count, {
        ...labels,
        outcome: what,
      });
    families.gauge('topic_unique_keys', 'unique keys of messages that wait', stats.unique.keys, labels);
    for (const outcome of ['ignored', 'replaced'] as const)
      families.counter(
        'topic_unique_total',
        'publishes that met an earlier message of their unique key',
        stats.unique[outcome],
        { ...labels, outcome },
      );
    addPriorities(families, topic, labels);
    families.set(
      'counter',
      'topic_shed_dropped_total',
      'messages dropped by a policy of shedding',
      context.alarms.shedder.droppedOf(topic),
      labels,
    );
    families.gauge('topic_in_per_second', 'publishes per second', stats.inPerSecond, labels);
    families.gauge(
      'topic_out_per_second',
      'deliveries per second, of all groups',
      deliveredPerSecond(topic),
      labels,
    );
    families.gauge(
      'topic_oldest_age_seconds',
      'age of the oldest message',
      seconds(await oldestTimes.topicAgeMs(topic, nowMs)),
      labels,
    );
    families.gauge(
      'topic_time_to_full_seconds',
      'until the limit is reached if rates stay',
      seconds(stats.timeToFullMs),
      labels,
    );
  }
  for (const topic of (await deadLetterTopics(context)).keys())
    if (topics.includes(topic))
      families.gauge('dead_letters', 'messages in a dead-letter topic', topic.durableCount, {
        topic: topic.name,
      });
}

async function addGroups(families: Families, { broker, oldestTimes }: AdminContext): Promise<void> {
  const all: Group[] = [];
  for (const topic of broker.topics.values()) all.push(...topic.groups.values());
  const groups = largest(all, groupsMax, (group) => group.info().lag);
  families.gauge('metrics_omitted', '', all.length - groups.length, { kind: 'group' });
  for (const group of groups) {
    const labels = { topic: group.topic.name, group: group.name };
    const stats = group.stats();
    families.gauge('group_lag', 'messages not yet delivered for the first time', stats.lag, labels);
    families.gauge('group_in_flight', 'messages delivered and not yet done', stats.inFlight, labels);
    families.gauge('group_redelivered', 'of these, delivered more than once', stats.redelivered, labels);
    families.counter('group_delivered_total', 'deliveries since the start', stats.delivered, labels);
    families.counter('group_acked_total', 'acknowledgements since the start', stats.acked, labels);
    families.counter(
      'group_expired_total',
      'messages that were too old for the group, since the start',
      stats.expired,
      labels,
    );
    families.gauge('group_out_per_second', 'deliveries per second', stats.deliveredPerSecond, labels);
    families.gauge('group_acked_per_second', 'acknowledgements per second', stats.ackedPerSecond, labels);
    families.gauge(
      'group_oldest_age_seconds',
      'age of the oldest message not yet done',
      seconds(await oldestTimes.groupAgeMs(group)),
      labels,
    );
    families.gauge(
      'group_time_to_empty_seconds',
      'until nothing is left if rates stay',
      seconds(stats.timeToEmptyMs),
      labels,
    );
    families.gauge('group_consumers', 'consumers attached', stats.consumers, labels);
    families.gauge('group_paused', '1 while paused', Number(stats.paused), labels);
    const { heldUntilMs, keysHeld, throttledMs } = group.info();
    families.gauge(
      'group_held',
      '1 while a consumer postponed it',
      Number(heldUntilMs !== undefined),
      labels,
    );
    families.gauge('group_keys_held', 'keys that consumers postponed', keysHeld, labels);
    families.counter(
      'group_throttled_seconds_total',
      'time for which the rate of the group kept messages back, since the start',
      throttledMs / 1000,
      labels,
    );
    const isSingle = group.config.activeConsumers === 'single';
    families.gauge(
      'group_active',
      'of a group with a single active consumer: 1 while there is one',
      isSingle ? Number(group.active !== undefined) : null,
      labels,
    );
    families.set(
      'counter',
      'group_active_chosen_total',
      'times that an active consumer was chosen',
      isSingle ? group.activeChosen : null,
      labels,
    );
  }
}

function deliveredPerSecond(topic: Topic): number {
  let sum = 0;
  for (const group of topic.groups.values()) sum += group.stats().deliveredPerSecond;
  return sum;
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000;
}

function largest<T>(items: readonly T[], countMax: number, sizeOf: (item: T) => number): readonly T[] {
  if (items.length <= countMax) return items;
  return [...items].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, countMax);
}
