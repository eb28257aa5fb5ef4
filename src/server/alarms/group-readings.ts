import type { Group } from '../../broker/index.ts';
import type { Reading, RuleName } from './alarm.ts';
import { countText, messagesText, rateText, shareText, spanText, waitingText } from './figures.ts';
import { slowestOf } from './slow-consumer.ts';

/** A backlog below this is not said to grow. */
const growingBacklogMin = 100;
/**
 * A backlog that has no new peak for this long does not grow any more; nor does one that shrinks by a tenth.
 */
const peakMsMax = 60_000;
const shrunk = 0.9;
/** The period over which redeliveries are counted, and the least of them that count. */
const redeliveriesOverMs = 60_000;
const redeliveriesMin = 10;

/** What the evaluations of one group remember. */
export interface GroupMemory {
  /** Where its growth began, and its highest point. */
  growth: { fromMs: number; from: number; peakMs: number; peak: number } | undefined;
  /** When it was last seen with a consumer or with answers, or without a backlog; and its answers by then. */
  aliveMs: number;
  answers: number;
  /** Counters at the begin of the running minute, and the share of failed deliveries in the last one. */
  counted: { atMs: number; delivered: number; failed: number } | undefined;
  failures: { readonly share: number; readonly failed: number; readonly delivered: number } | undefined;
  /** The oldest age of the last evaluation, for one in which the search for it took too long. */
  oldestAgeMs: number | undefined;
}

/** Whether a rule is to be measured at all. */
export type IsOn = (rule: RuleName) => boolean;

/** The time of an evaluation, by both clocks. */
export interface Now {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/**
 * Measures a group by its rules. `oldestAgeMs` may search; it is asked only if there is anything to find. No
 * readings: there never was anything in the group, and its memory is as new.
 */
export async function readGroup(
  group: Group,
  memory: GroupMemory,
  { wallMs, monotonicMs: nowMs }: Now,
  isOn: IsOn,
  oldestAgeMs: (group: Group) => Promise<number | undefined>,
): Promise<Reading[]> {
  const stats = group.stats();
  const { lag, inFlight, consumers, paused, delivered, acked, inPerSecond } = stats;
  const undone = lag + inFlight;
  // Most groups of many never had anything: they are not remembered, and cost next to nothing.
  if (undone === 0 && delivered === 0 && memory.growth === undefined) return [];
  const isAckless = group.config.ack === 'none';
  const donePerSecond = isAckless ? stats.deliveredPerSecond : stats.ackedPerSecond;
  const inner = `group "${group.name}" of topic "${group.topic.name}"`;
  const title = `G${inner.slice(1)}`;
  const show = `pillarbox groups show ${group.topic.name} ${group.name}`;
  const resume = `Resume it: pillarbox groups resume ${group.topic.name} ${group.name}.`;

  const grownMs = measureGrowth(memory, undone, nowMs);
  const isAlive = undone === 0 || consumers > 0 || delivered + acked !== memory.answers;
  if (isAlive) memory.aliveMs = nowMs;
  memory.answers = delivered + acked;
  if (!isAckless) countFailures(memory, stats, nowMs);

  const readings: Reading[] = [
    {
      rule: 'backlog-growing',
      value: grownMs,
      tell: () => ({
        reason:
          `${title} falls behind: its backlog grew from ${countText(memory.growth?.from ?? 0)} to ${messagesText(undone)} ` +
          `in ${spanText(grownMs ?? 0)}; ${rateText(inPerSecond)} come in, ${rateText(donePerSecond)} are done by ${consumersText(consumers)}.`,
        remedy: paused ? resume : `Add consumers or make them faster, or slow publishers down; see ${show}.`,
      }),
    },
    {
      rule: 'no-consumers',
      // A group that is not durable goes by itself when its consumers stay away.
      value: paused || isAlive || !group.config.durable ? undefined : nowMs - memory.aliveMs,
      tell: () => ({
        reason: `${title} has no consumer, and ${waitingText(undone)} for one for ${spanText(nowMs - memory.aliveMs)}.`,
        remedy: `Start its consumers, or delete the group if nothing needs it any more: pillarbox groups delete ${group.topic.name} ${group.name}.`,
      }),
    },
    {
      rule: 'redelivery-rate',
      value: memory.failures?.share,
      tell: () => {
        const { share = 0, failed = 0, delivered = 0 } = memory.failures ?? {};
        return {
          reason: `${title} fails at ${shareText(share)} of its deliveries: ${countText(failed)} of ${countText(delivered)} in the last minute did not end with an ack.`,
          remedy: `Look at the errors of its consumers, and whether they answer in time (ack wait ${spanText(group.config.ackWaitMs)}); see ${show}.`,
        };
      },
    },
  ];
  if (isOn('oldest-age')) {
    const ageMs = undone === 0 ? undefined : ((await oldestAgeMs(group)) ?? memory.oldestAgeMs);
    memory.oldestAgeMs = ageMs;
    readings.push({
      rule: 'oldest-age',
      value: ageMs,
      tell: () => ({
        reason: `The oldest message that ${inner} has not done is ${spanText(ageMs ?? 0)} old; ${waitingText(undone)}, ${rateText(donePerSecond)} are done by ${consumersText(consumers)}.`,
        remedy: paused
          ? resume
          : `Add consumers, or look for a message that none of them can handle; see ${show}.`,
      }),
    });
  }
  if (isOn('slow-consumer')) {
    const slowest = consumers > 1 && inFlight > 0 ? slowestOf(group, wallMs) : undefined;
    readings.push({
      rule: 'slow-consumer',
      value: slowest?.heldMs,
      tell: () => ({
        reason: `Consumer "${slowest?.name}" of ${inner} has had a message for ${spanText(slowest?.heldMs ?? 0)}, its peers for ${spanText(slowest?.peersMs ?? 0)}; it holds ${messagesText(slowest?.held ?? 0)}.`,
        remedy: `Look at that consumer, or close its connection, so that others get its messages: pillarbox connections close${slowest?.connection === undefined ? '' : ` ${slowest.connection}`}.`,
      }),
    });
  }
  return readings;
}

export function newGroupMemory(nowMs: number): GroupMemory {
  return {
    growth: undefined,
    aliveMs: nowMs,
    answers: 0,
    counted: undefined,
    failures: undefined,
    oldestAgeMs: undefined,
  };
}

/** For how long the backlog has grown, in milliseconds. */
function measureGrowth(memory: GroupMemory, undone: number, nowMs: number): number | undefined {
  let { growth } = memory;
  const hasEnded = growth && (undone < growth.peak * shrunk || nowMs - growth.peakMs > peakMsMax);
  if (!growth || hasEnded)
    memory.growth = growth = { fromMs: nowMs, from: undone, peakMs: nowMs, peak: undone };
  if (undone > growth.peak) [growth.peak, growth.peakMs] = [undone, nowMs];
  return undone >= growingBacklogMin && growth.peak > growth.from ? nowMs - growth.fromMs : undefined;
}

/**
 * Counts failed deliveries by the minute. A delivery makes a message pending, and an ack ends that:
 * deliveries that did neither were of a message that was pending already, or that was given up.
 */
function countFailures(
  memory: GroupMemory,
  { delivered, acked, inFlight, expired }: ReturnType<Group['stats']>,
  nowMs: number,
): void {
  const failed = delivered - acked - inFlight - expired;
  const { counted } = memory;
  if (counted && nowMs - counted.atMs < redeliveriesOverMs) return;
  memory.counted = { atMs: nowMs, delivered, failed };
  if (!counted) return;
  const [more, moreFailed] = [delivered - counted.delivered, Math.max(0, failed - counted.failed)];
  memory.failures =
    moreFailed < redeliveriesMin
      ? undefined
      : { share: Math.min(1, moreFailed / Math.max(1, more)), failed: moreFailed, delivered: more };
}

function consumersText(count: number): string {
  if (count === 0) return 'no consumer';
  return count === 1 ? '1 consumer' : `${countText(count)} consumers`;
}
