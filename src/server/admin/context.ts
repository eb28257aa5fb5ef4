import type { Broker, Group, Topic } from '../../broker/index.ts';
import {
  type Access,
  type ConnectionRegistry,
  type Door,
  HttpError,
  type TopicAction,
  type Users,
} from '../../protocols/index.ts';
import type { Alarms } from '../alarms/index.ts';
import type { HistoryRecorder } from '../history/index.ts';
import type { StreamRoom } from './changes.ts';
import type { AdminRequest } from './http.ts';
import type { Configuration } from '../config.ts';
import type { Settings } from '../settings.ts';
import type { ServerPorts } from '../server.ts';
import type { DeadLetterCauses } from '../dead-letter-causes.ts';
import type { CommitWaits } from '../commit-waits.ts';
import type { RuntimeFigures } from '../runtime-figures.ts';
import type { SyncTimes } from '../sync-times.ts';
import type { AdminDoor } from './login.ts';
import type { OldestTimes } from './oldest-times.ts';

/** The objects that routes work on: the broker and the server's own facts. */
export interface AdminContext {
  readonly broker: Broker;
  readonly doors: readonly Door[];
  /** The connections of the admin HTTP itself. */
  readonly adminConnections: () => number;
  readonly connections: ConnectionRegistry;
  readonly users: Users;
  /** What the admin HTTP accepts as a login. */
  readonly door: AdminDoor;
  readonly settings: Settings;
  /** The same with their sources. */
  readonly configuration: Configuration;
  readonly version: string;
  readonly dataDirectory: string;
  readonly startedMs: number;
  /** The ports in use, once all listen. */
  readonly ports: () => ServerPorts;
  readonly isStopping: () => boolean;
  readonly oldestTimes: OldestTimes;
  readonly syncTimes: SyncTimes;
  readonly alarms: Alarms;
  readonly runtime: RuntimeFigures;
  readonly commitWaits: CommitWaits;
  readonly deadLetterCauses: DeadLetterCauses;
  readonly recorder: HistoryRecorder;
  readonly streams: StreamRoom;
}

/**
 * The topic in the path of a request. Throws an HttpError if the user may not do that, or there is no such
 * topic.
 */
export function topicFor(action: Action, { access, params }: Asked, context: AdminContext): Topic {
  const name = params['topic'] ?? '';
  checkMay(action, access, name);
  return topicOf(context, name);
}

/** The group in the path of a request. The permission to consume is that of its topic. */
export function groupFor(request: Asked, context: AdminContext): Group {
  const topic = topicFor('consume', request, context);
  const { group: name = '' } = request.params;
  const group = topic.groups.get(name);
  if (group) return group;
  throw new HttpError(404, 'group-not-found', `Topic "${topic.name}" has no group "${name}".`);
}

export function topicOf({ broker }: AdminContext, name: string): Topic {
  const topic = broker.topic(name);
  if (topic) return topic;
  throw new HttpError(404, 'topic-not-found', `There is no topic "${name}".`);
}

/** An action on a topic. Any permission on the topic includes `see`. */
export type Action = TopicAction | 'see';
type Asked = Pick<AdminRequest, 'access' | 'params'>;

/** Throws an HttpError if the user may not do that, whether or not the topic exists. */
export function checkMay(action: Action, access: Access, topic: string): void {
  const may = action === 'see' ? access.maySee(topic) : access.may(action, topic);
  if (!may) throw notPermitted(`${action} topic "${topic.slice(0, 255)}"`);
}

/**
 * Throws an HttpError if the user may not do that to all topics, for requests that concern the whole server.
 */
export function checkMayAll(action: TopicAction, access: Access): void {
  if (!access.may(action, '*'))
    throw notPermitted(`do that: it takes the permission to ${action} all topics`);
}

function notPermitted(what: string): HttpError {
  return new HttpError(403, 'not-permitted', `This user may not ${what}.`);
}
