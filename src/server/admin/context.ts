import type { Broker, Group, Topic } from '../../broker/index.ts';
import { type ConnectionRegistry, type Door, HttpError } from '../../protocols/index.ts';
import type { Settings } from '../settings.ts';
import type { ServerPorts } from '../server.ts';
import type { SyncTimes } from '../sync-times.ts';
import type { OldestTimes } from './oldest-times.ts';

/** What the routes work on: the broker and what the server knows of itself. */
export interface AdminContext {
  readonly broker: Broker;
  readonly doors: readonly Door[];
  /** The connections of the admin HTTP itself. */
  readonly adminConnections: () => number;
  readonly connections: ConnectionRegistry;
  readonly settings: Settings;
  readonly version: string;
  readonly dataDirectory: string;
  readonly startedMs: number;
  /** The ports in use, once all listen. */
  readonly ports: () => ServerPorts;
  readonly isStopping: () => boolean;
  readonly oldestTimes: OldestTimes;
  readonly syncTimes: SyncTimes;
}

export function topicOf({ broker }: AdminContext, name: string | undefined): Topic {
  const topic = broker.topic(name ?? '');
  if (topic) return topic;
  throw new HttpError(404, 'topic-not-found', `There is no topic "${name}".`);
}

export function groupOf(
  context: AdminContext,
  { topic: topicName, group: groupName }: { readonly [name: string]: string },
): Group {
  const topic = topicOf(context, topicName);
  const group = topic.groups.get(groupName ?? '');
  if (group) return group;
  throw new HttpError(404, 'group-not-found', `Topic "${topic.name}" has no group "${groupName}".`);
}
