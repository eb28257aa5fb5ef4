import type { FindingJson } from '../../admin-api/index.ts';
import type { Group, GroupStats, Topic, TopicStats } from '../../broker/index.ts';
import { countText, rateText, spanText, waitingText } from '../alarms/index.ts';
import type { AdminContext } from './context.ts';

/** A topic and its groups with their statistics, which are taken once for an answer. */
export interface Measured {
  readonly topic: Topic;
  readonly stats: TopicStats;
  readonly groups: readonly { readonly group: Group; readonly stats: GroupStats }[];
}

export function measure(topic: Topic): Measured {
  const groups = Array.from(topic.groups.values(), (group) => ({ group, stats: group.stats() }));
  return { topic, stats: topic.stats(), groups };
}

/** Findings in one answer. */
const findingsMax = 50;
/** Sentences that are made for one: with thousands of topics there may be as many. */
const madeMax = 4 * findingsMax;
/** A topic that is full later than this is not worth a sentence yet. */
const fullSoonMs = 24 * 3_600_000;
/** A smaller lag is what any group has while messages come in. */
const lagMin = 100;

const ranks = { error: 0, warning: 1, info: 2 } as const;

/** What is wrong now, in sentences, the worst first. */
export function findingsOf(
  context: AdminContext,
  measured: readonly Measured[],
  letters: readonly Topic[],
  managesAll: boolean,
): FindingJson[] {
  const findings = managesAll ? [...ofServer(context)] : [];
  for (const topic of letters) findings.push(...ofDeadLetters(topic));
  for (const each of measured) {
    if (findings.length >= madeMax) break;
    findings.push(...ofTopic(each));
    for (const { group, stats } of each.groups) findings.push(...ofGroup(group, stats, each.stats));
  }
  return findings.sort((a, b) => ranks[a.level] - ranks[b.level]).slice(0, findingsMax);
}

function* ofServer({ broker }: AdminContext): Iterable<FindingJson> {
  const { failed, degraded, diskFull, memoryFull } = broker.health;
  const { diskTimeToFullMs } = broker.stats();
  const of = (rule: string, level: FindingJson['level'], reason: string, remedy: string): FindingJson => ({
    rule,
    level,
    topic: null,
    group: null,
    since: null,
    reason,
    remedy,
  });
  if (failed !== undefined)
    yield of(
      'log-failed',
      'error',
      `The log has failed: ${failed}`,
      'Check the disk and start the broker again.',
    );
  if (degraded !== undefined)
    yield of('degraded', 'error', 'Stored data is missing or damaged; the rest is served.', degraded);
  if (diskFull)
    yield of(
      'disk-full',
      'error',
      'The disk is at its mark: publishes are refused.',
      'Purge or consume messages, or make room on the disk.',
    );
  else if (diskTimeToFullMs !== undefined && diskTimeToFullMs < fullSoonMs)
    yield of(
      'disk-fills',
      'warning',
      `The disk reaches its mark in ${spanText(diskTimeToFullMs)}.`,
      'Make room on the disk, or give topics limits.',
    );
  if (memoryFull)
    yield of(
      'memory-full',
      'error',
      'Memory is at its mark: publishes are refused.',
      'Let consumers catch up, or give the process more memory (--memory-max).',
    );
}

function* ofTopic({ topic, stats, groups }: Measured): Iterable<FindingJson> {
  const { timeToFullMs, inPerSecond, removedPerSecond } = stats;
  if (timeToFullMs === undefined || timeToFullMs >= fullSoonMs) return;
  const { overflow } = topic.config;
  const slowest = slowestOf(groups);
  const what =
    overflow === 'drop-oldest'
      ? 'then it drops its oldest messages'
      : overflow === 'wait'
        ? 'then publishers wait'
        : 'then publishes are refused';
  yield {
    rule: 'topic-fills',
    level: overflow === 'drop-oldest' && !slowest ? 'info' : 'warning',
    topic: topic.name,
    group: slowest?.group.name ?? null,
    since: null,
    reason:
      `${topic.name} grows by ${rateText(inPerSecond - removedPerSecond)} and is full in ${spanText(timeToFullMs)}; ${what}.` +
      (slowest ? ` ${handling(slowest)}` : ''),
    remedy: slowest
      ? 'Add consumers, slow publishers down, or raise the limits of the topic.'
      : 'Raise the limits of the topic, or slow publishers down.',
  };
}

function* ofGroup(group: Group, stats: GroupStats, ofTopic: TopicStats): Iterable<FindingJson> {
  const { lag, consumers, paused, inPerSecond, ackedPerSecond, deliveredPerSecond } = stats;
  if (lag < 1) return;
  const base = { topic: group.topic.name, group: group.name, since: null };
  const waiting = waitingText(lag);
  if (paused)
    yield {
      ...base,
      rule: 'group-paused',
      level: 'info',
      reason: `${group.name} of ${group.topic.name} is paused: ${waiting}.`,
      remedy: 'Resume the group when its consumers may go on.',
    };
  else if (consumers === 0 && group.config.durable)
    yield {
      ...base,
      rule: 'group-without-consumers',
      level: inPerSecond > 0 || lag >= lagMin ? 'warning' : 'info',
      reason: `${group.name} of ${group.topic.name} has no consumer: ${waiting}.`,
      remedy: 'Start a consumer, or delete the group if nobody needs it.',
    };
  else if (
    consumers > 0 &&
    lag >= lagMin &&
    inPerSecond > Math.max(ackedPerSecond, deliveredPerSecond) * 1.1 &&
    ofTopic.timeToFullMs === undefined
  )
    yield {
      ...base,
      rule: 'backlog-grows',
      level: 'warning',
      reason: `The backlog of ${group.name} of ${group.topic.name} grows by ${rateText(inPerSecond - ackedPerSecond)}: ${waiting}. ${handling({ group, stats })}`,
      remedy: 'Add consumers, or slow publishers down.',
    };
}

function* ofDeadLetters(topic: Topic): Iterable<FindingJson> {
  const count = topic.durableCount;
  if (count === 0) return;
  yield {
    rule: 'dead-letters',
    level: 'warning',
    topic: topic.name,
    group: null,
    since: null,
    reason: `${countText(count)} dead ${count === 1 ? 'letter is' : 'letters are'} in ${topic.name}.`,
    remedy: 'Look at their causes, and redrive them when these are mended.',
  };
}

function slowestOf(groups: Measured['groups']): Measured['groups'][number] | undefined {
  let slowest: Measured['groups'][number] | undefined;
  for (const each of groups) if (each.stats.lag > (slowest?.stats.lag ?? 0)) slowest = each;
  return slowest;
}

function handling({ group, stats: { ackedPerSecond, consumers } }: Measured['groups'][number]): string {
  const by = consumers === 0 ? 'no consumer' : `${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}`;
  return `${group.name} handles ${rateText(ackedPerSecond)} with ${by}.`;
}
