import type * as PromClient from 'prom-client';
import { messagesByPriority, type Group, type Topic } from '../../broker/index.ts';
import { type AdminContext, checkMayAll } from './context.ts';
import { deadLetterTopics } from './dead-letters.ts';
import type { AdminReply, AdminRequest } from './http.ts';
import { Families, type Family, type Labels, seconds } from './metric-families.ts';
import { addAlarms, addLog, addRuntime, addServer, addTraffic } from './server-metrics.ts';

/**
 * Limits of the series per scrape, however many topics clients create; `pillarbox_metrics_omitted` counts the
 * rest.
 */
const topicsMax = 1000;
const groupsMax = 2000;
/** Series of one topic by priority; with more priorities, a series is for a range of them. */
const bandsMax = 16;

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
async function collectFamilies(context: AdminContext): Promise<readonly Family[]> {
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
    for (const [cause, count] of Object.entries(context.deadLetterCauses.of(topic)))
      families.counter('topic_dead_lettered_total', 'messages that became dead letters', count, {
        ...labels,
        cause,
      });
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

function largest<T>(items: readonly T[], countMax: number, sizeOf: (item: T) => number): readonly T[] {
  if (items.length <= countMax) return items;
  return [...items].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, countMax);
}
