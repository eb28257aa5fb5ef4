import type { OverviewJson, OverviewServerJson } from '../../admin-api/index.ts';
import { memoryLimitBytes, processFigures } from '../../util/index.ts';
import { brokerKey } from '../history/index.ts';
import type { AdminContext } from './context.ts';
import { namedDeadLetterTopics } from './dead-letters.ts';
import { findingsOf, measure, type Measured } from './findings.ts';
import { recentJson } from './history.ts';
import type { AdminRequest } from './http.ts';
import { adminProtocol } from './login.ts';
import { type JsonReply, json } from './reply.ts';

/** Groups that are asked for their oldest message: those with the most lag. */
const agesMax = 10;
const memoryShare = 0.75;

export async function showOverview(
  { access }: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<OverviewJson>> {
  const { broker } = context;
  const topics = [...broker.topics.values()].filter(({ name }) => access.maySee(name));
  const managesAll = access.may('manage', '*');
  let inPerSecond = 0;
  let outPerSecond = 0;
  let backlog = 0;
  let groups = 0;
  const measured = topics.map(measure);
  for (const each of measured) {
    inPerSecond += each.stats.inPerSecond;
    groups += each.groups.length;
    let lag = 0;
    for (const { stats } of each.groups) {
      outPerSecond += stats.deliveredPerSecond;
      lag = Math.max(lag, stats.lag);
    }
    backlog += lag;
  }
  const letters = [...namedDeadLetterTopics(context).keys()].filter(({ name }) => access.maySee(name));
  return json({
    nowMs: Date.now(),
    version: context.version,
    startedMs: context.startedMs,
    findings: findingsOf(context, measured, letters, managesAll),
    topics: topics.length,
    groups,
    inPerSecond: tenths(inPerSecond),
    outPerSecond: tenths(outPerSecond),
    backlog,
    oldestAgeMs: await oldestAgeMs(measured, context),
    deadLetters: letters.reduce((sum, topic) => sum + topic.durableCount, 0),
    server: managesAll ? serverFigures(context) : null,
    recent: recentJson(context, managesAll ? brokerKey : { ...brokerKey, createdMs: -1 }),
  });
}

async function oldestAgeMs(
  measured: readonly Measured[],
  { oldestTimes }: AdminContext,
): Promise<number | null> {
  const groups = measured
    .flatMap((each) => each.groups)
    .map(({ group, stats }) => ({ group, undone: stats.lag + stats.inFlight }))
    .filter(({ undone }) => undone > 0)
    .sort((a, b) => b.undone - a.undone)
    .slice(0, agesMax);
  let oldest: number | null = null;
  for (const { group } of groups) {
    const ageMs = await oldestTimes.groupAgeMs(group);
    if (ageMs !== null) oldest = Math.max(oldest ?? 0, ageMs);
  }
  return oldest;
}

function serverFigures({
  broker,
  doors,
  settings,
  recorder,
  adminConnections,
}: AdminContext): OverviewServerJson {
  const { diskFreeBytes, diskTimeToFullMs } = broker.stats();
  return {
    memoryBytes: processFigures().rss,
    memoryBytesMax: settings.memoryBytesMax ?? Math.floor(memoryLimitBytes() * memoryShare),
    diskFreeBytes: diskFreeBytes ?? null,
    diskFreeBytesMin: settings.diskFreeBytesMin ?? null,
    diskTimeToFullMs: diskTimeToFullMs ?? null,
    syncP99Ms: recorder.recentSyncs.p99Ms(),
    connections: [
      ...doors.map(({ name, connections }) => ({ name, connections })),
      { name: adminProtocol, connections: adminConnections() },
    ],
  };
}

function tenths(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}
