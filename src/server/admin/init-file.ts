import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Broker, BrokerError, type Topic, defaultGroup, topicConfig } from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { ServerError, messageOf, systemErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { createShape, groupOptions } from './groups.ts';
import { type Shape, anything, listOf, readObject } from './shape.ts';
import { topicShape, withKeyState } from './topics.ts';

type TopicInit = Parameters<typeof withKeyState>[0] & { readonly groups?: readonly unknown[] };

interface FileInit {
  readonly topics?: readonly unknown[];
  readonly queues?: readonly unknown[];
}

type QueueInit = Parameters<typeof withKeyState>[0] & { readonly group?: unknown };

const fileShape: Shape<FileInit> = { topics: listOf(anything), queues: listOf(anything) };
const queueInitShape: Shape<QueueInit> = { ...topicShape, group: anything };
const topicInitShape: Shape<TopicInit> = { ...topicShape, groups: listOf(anything) };

type GroupInit = ReturnType<typeof groupOptions>;

/** What may not change once a topic or a group is there. */
const ofTopicForLife = ['durability'] as const;
const ofGroupForLife = ['ordering', 'ack', 'durable'] as const;

/**
 * Makes the topics, queues and groups of a file, and changes those that differ from it. Settings that the
 * file does not name stay, and so do topics and groups that are not in it. A second start finds nothing to
 * do. Rejects with a ServerError if the file is not valid, or contradicts what is there.
 */
export async function applyInitFile(broker: Broker, path: string, log: Log): Promise<void> {
  try {
    const { topics = [], queues = [] } = readObject(await parsed(path), fileShape, [], 'The file');
    // All of it is read before anything is made.
    const wanted = topics.map((given, at) => {
      const { groups = [], ...options } = readObject(given, topicInitShape, ['name'], `"topics[${at}]"`);
      return {
        options,
        groups: groups.map((group) => groupOptions(readObject(group, createShape, ['name'], 'A group'))),
      };
    });
    wanted.push(...queues.map((given, at) => readQueue(given, `"queues[${at}]"`)));
    for (const { options, groups } of wanted) checkTopic(broker, options, groups);
    let changes = 0;
    for (const { options, groups } of wanted) {
      const { topic, change } = await makeTopic(broker, options);
      if (change !== undefined) log.info(`init: topic "${topic.name}" was ${change}`);
      changes += change === undefined ? 0 : 1;
      for (const group of groups) {
        const change = await makeGroup(topic, group);
        if (change !== undefined)
          log.info(`init: group "${group.name}" of topic "${topic.name}" was ${change}`);
        changes += change === undefined ? 0 : 1;
      }
    }
    if (changes === 0) log.info('init: everything was there already', { file: path });
  } catch (error) {
    if (!(error instanceof HttpError || error instanceof BrokerError)) throw error;
    throw new ServerError(
      'configuration-invalid',
      `The init file ${path} cannot be applied: ${error.message}`,
      error,
    );
  }
}

async function parsed(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = systemErrorCode(error) ?? messageOf(error);
    throw new ServerError(
      'configuration-invalid',
      `The init file ${path} cannot be read (${reason}).`,
      error,
    );
  }
  try {
    return path.endsWith('.json') ? JSON.parse(text) : (await import('smol-toml')).parse(text);
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    throw new ServerError('configuration-invalid', `The init file ${path} is not valid (${reason}).`, error);
  }
}

/** Throws if the file contradicts what is there: then nothing is made. */
function checkTopic(broker: Broker, given: TopicInit, groups: readonly GroupInit[]): void {
  const topic = broker.topic(given.name);
  if (!topic) return void topicConfig(withKeyState(given));
  refuseForLife(`Topic "${topic.name}"`, topic.config, given, ofTopicForLife);
  topic.checkUpdate({ ...topic.config, ...given });
  for (const { start: _, ...settings } of groups) {
    const group = topic.groups.get(settings.name);
    if (group)
      refuseForLife(`Group "${group.name}" of topic "${topic.name}"`, group.config, settings, ofGroupForLife);
  }
}

/** A queue, as clients of queues make them: a topic whose acked messages are deleted, and its group. */
function readQueue(
  given: unknown,
  title: string,
): { readonly options: TopicInit; readonly groups: GroupInit[] } {
  const { group = {}, ...options } = readObject(given, queueInitShape, ['name'], title);
  const { name = defaultGroup, ...settings } = readObject(group, createShape, [], `The group of ${title}`);
  return { options: { retention: 'queue', ...options }, groups: [groupOptions({ name, ...settings })] };
}

type Change = 'created' | `changed: ${string}` | undefined;

async function makeTopic(broker: Broker, given: TopicInit): Promise<{ topic: Topic; change: Change }> {
  const topic = broker.topic(given.name);
  if (!topic) return { topic: await broker.createTopic(topicConfig(withKeyState(given))), change: 'created' };
  const different = differences(topic.config, given);
  if (different.length === 0) return { topic, change: undefined };
  await topic.update({ ...topic.config, ...given });
  return { topic, change: `changed: ${different.join(', ')}` };
}

async function makeGroup(topic: Topic, given: GroupInit): Promise<Change> {
  const group = topic.groups.get(given.name);
  if (!group) {
    await topic.createGroup(given);
    return 'created';
  }
  // Its start was in the past.
  const { start: _, ...settings } = given;
  const different = differences(group.config, settings);
  if (different.length === 0) return undefined;
  await group.update({ ...group.config, ...settings });
  return `changed: ${different.join(', ')}`;
}

function differences<T extends object>(config: T, given: Partial<T>): readonly string[] {
  return (Object.keys(given) as (keyof T & string)[]).filter(
    (name) => !isDeepStrictEqual(config[name], given[name]),
  );
}

function refuseForLife<T extends object>(
  what: string,
  config: T,
  given: Partial<T>,
  names: readonly (keyof T & string)[],
): void {
  for (const name of names)
    if (given[name] !== undefined && given[name] !== config[name])
      throw new HttpError(
        409,
        'not-allowed',
        `${what} has ${name} "${String(config[name])}" for life, and the file says "${String(given[name])}".`,
      );
}
