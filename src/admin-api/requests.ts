import type { RedriveJson } from './dead-letters.ts';
import type { DelayedMoveJson, DelayedSelectionJson } from './delayed.ts';
import type {
  GroupLimitsJson,
  GroupToCreateJson,
  GroupToUpdateJson,
  PauseJson,
  ResetJson,
} from './groups.ts';
import type { PublishJson, ValueForm } from './messages.ts';
import type { ReceiveJson, SettleJson } from './receive.ts';
import type { ScheduleToDefineJson } from './schedules.ts';
import type { SessionToBeginJson } from './session.ts';
import type { PurgeJson, TopicToCreateJson, TopicToUpdateJson } from './topics.ts';

/** The bodies of all routes of the admin HTTP that take one. */
export interface AdminBodies {
  'POST /api/v1/session': SessionToBeginJson;
  'POST /api/v1/topics': TopicToCreateJson;
  'PATCH /api/v1/topics/:topic': TopicToUpdateJson;
  'POST /api/v1/topics/:topic/purge': PurgeJson;
  'POST /api/v1/topics/:topic/messages': PublishJson;
  'POST /api/v1/topics/:topic/delayed/move': DelayedMoveJson;
  'POST /api/v1/topics/:topic/delayed/cancel': DelayedSelectionJson;
  'POST /api/v1/topics/:topic/delayed/publish': DelayedSelectionJson;
  'POST /api/v1/subjects/:subject/messages': PublishJson;
  'POST /api/v1/topics/:topic/groups': GroupToCreateJson;
  'PATCH /api/v1/topics/:topic/groups/:group': GroupToUpdateJson;
  'POST /api/v1/topics/:topic/groups/:group/pause': PauseJson;
  'POST /api/v1/topics/:topic/groups/:group/limits': GroupLimitsJson;
  'POST /api/v1/topics/:topic/groups/:group/reset': ResetJson;
  'POST /api/v1/topics/:topic/groups/:group/reset/preview': ResetJson;
  'POST /api/v1/topics/:topic/groups/:group/receive': ReceiveJson;
  'POST /api/v1/topics/:topic/groups/:group/settle': SettleJson;
  'POST /api/v1/schedules': ScheduleToDefineJson;
  'POST /api/v1/dead-letters/:topic/redrive': RedriveJson;
}

/** The queries of all routes that take one. */
export interface AdminQueries {
  'GET /api/v1/connections': { readonly limit?: number };
  'GET /api/v1/topic-rows': TopicRowsQueryJson;
  'GET /api/v1/topics/:topic/messages': BrowseQueryJson;
  'GET /api/v1/topics/:topic/messages/:offset': MessageQueryJson;
  'GET /api/v1/topics/:topic/messages/:offset/groups': { readonly partition?: number };
  'GET /api/v1/topics/:topic/delayed': DelayedQueryJson;
  'GET /api/v1/topics/:topic/delayed/:id': ValueQueryJson;
  'GET /api/v1/schedules': { readonly topic?: string };
  'GET /api/v1/dead-letters/:topic': BrowseQueryJson;
  'GET /api/v1/dead-letters/:topic/:offset': MessageQueryJson;
}

/** A page of topics. */
export interface TopicRowsQueryJson {
  /** Words in the names of topics, subjects and groups. */
  readonly search?: string;
  readonly sort?: 'name' | 'in' | 'out' | 'backlog' | 'messages' | 'bytes' | 'full';
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly skip?: number;
}

/** How values are shown. */
export interface ValueQueryJson {
  readonly as?: ValueForm;
  /** Longer values are cut, and marked `truncated`. */
  readonly valueBytes?: number;
}

/** One message. */
export interface MessageQueryJson extends ValueQueryJson {
  readonly partition?: number;
}

/** A page of messages: begins with one of `offset`, `time`, `last` and `cursor`, else at the oldest. */
export interface BrowseQueryJson extends MessageQueryJson {
  readonly offset?: number;
  /** Milliseconds since 1970, or ISO 8601. */
  readonly time?: number | string;
  /** So many of the newest. */
  readonly last?: number;
  /** That of the page before. */
  readonly cursor?: string;
  /** A pattern of keys. */
  readonly key?: string;
  /** `name`, or `name=text` for text in its value. */
  readonly header?: string;
  /** Text in the value. */
  readonly text?: string;
  /** A place in a value that is JSON, `customer.name` or `items[0].sku=B-1`. */
  readonly path?: string;
  readonly limit?: number;
  /** How long an empty answer waits for a message. */
  readonly waitMs?: number;
}

/** A page of delayed messages. */
export interface DelayedQueryJson extends ValueQueryJson {
  /** The id after which the page begins. */
  readonly after?: number;
  readonly key?: string;
  readonly limit?: number;
}
