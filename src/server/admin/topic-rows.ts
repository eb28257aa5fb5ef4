import type { GroupChipJson, TopicRowJson, TopicRowsJson } from '../../admin-api/index.ts';
import type { Topic } from '../../broker/index.ts';
import { backlogOf, keyOfTopic } from '../history/index.ts';
import type { AdminContext } from './context.ts';
import { describeTopic } from './describe.ts';
import { recentJson } from './history.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import { flag, oneOf, readQuery, text, wholeNumber } from './shape.ts';

const rowsMax = 200;
const chipsMax = 4;

/** What topics are sorted by. Numbers begin with the largest, and the time to full with the shortest. */
const orders = {
  name: undefined,
  in: (topic: Topic) => topic.stats().inPerSecond,
  out: outPerSecond,
  backlog: (topic: Topic) => backlogOf(topic) ?? -1,
  messages: (topic: Topic) => topic.durableCount,
  bytes: (topic: Topic) => topic.durableBytes,
  full: (topic: Topic) => -(topic.stats().timeToFullMs ?? Infinity),
} as const;

type Order = keyof typeof orders;

/**
 * Lists topics by page. Only the rows of the page are described, so that a page costs the same at any size.
 */
export async function listTopicRows(
  { access, query }: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<TopicRowsJson>> {
  const {
    search = '',
    sort = 'name',
    reverse = false,
    limit = 50,
    skip = 0,
  } = readQuery<{
    search?: string;
    sort?: Order;
    reverse?: boolean;
    limit?: number;
    skip?: number;
  }>(query, {
    search: text(255),
    sort: oneOf(...(Object.keys(orders) as Order[])),
    reverse: flag,
    limit: wholeNumber(1, rowsMax),
    skip: wholeNumber(),
  });
  const visible = [...context.broker.topics.values()].filter(({ name }) => access.maySee(name));
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = visible.filter((topic) => matches(topic, words));
  const ordered = inOrder(found, sort);
  if (reverse) ordered.reverse();
  const topics: TopicRowJson[] = [];
  for (const topic of ordered.slice(skip, skip + limit)) topics.push(await rowOf(topic, context));
  return json({ topics, total: visible.length, matching: found.length, skip });
}

/** A topic is found by its name, its subjects and the names of its groups. */
function matches(topic: Topic, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const names = [topic.name, ...topic.config.subjects, ...topic.groups.keys()].map((name) =>
    name.toLowerCase(),
  );
  return words.every((word) => names.some((name) => name.includes(word)));
}

function inOrder(topics: readonly Topic[], sort: Order): Topic[] {
  const byName = [...topics].sort((a, b) => (a.name < b.name ? -1 : 1));
  const figureOf = orders[sort];
  if (!figureOf) return byName;
  const figures = new Map(byName.map((topic) => [topic, figureOf(topic)]));
  const compare = (a: number, b: number): number => (a === b ? 0 : b - a);
  return byName.sort((a, b) => compare(figures.get(a) ?? 0, figures.get(b) ?? 0));
}

async function rowOf(topic: Topic, context: AdminContext): Promise<TopicRowJson> {
  return {
    ...(await describeTopic(topic, context.oldestTimes)),
    backlog: backlogOf(topic),
    groupsByLag: chipsOf(topic),
    recent: recentJson(context, keyOfTopic(topic)),
  };
}

function chipsOf(topic: Topic): GroupChipJson[] {
  return [...topic.groups.values()]
    .map((group): GroupChipJson => {
      const { lag, consumers, paused, inPerSecond, ackedPerSecond } = group.stats();
      const grows = lag > 0 && inPerSecond > 0.1 && inPerSecond > ackedPerSecond * 1.05;
      return { name: group.name, lag, consumers, paused, grows };
    })
    .sort((a, b) => b.lag - a.lag)
    .slice(0, chipsMax);
}

function outPerSecond(topic: Topic): number {
  let sum = 0;
  for (const group of topic.groups.values()) sum += group.stats().deliveredPerSecond;
  return sum;
}
