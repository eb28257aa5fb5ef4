import type { AlarmsJson } from './alarms.ts';
import type { ConnectionClosedJson, ConnectionsJson } from './connections.ts';
import type {
  DeadLetterCausesJson,
  DeadLetterJson,
  DeadLetterTopicsJson,
  RedrivenJson,
} from './dead-letters.ts';
import type { DelayedChangedJson, DelayedMessageJson, DelayedMessagesJson } from './delayed.ts';
import type { ReceivedMessagesJson, SettledJson } from './receive.ts';
import type { GroupDeletedJson, GroupDetailsJson, GroupsJson, SeekPreviewJson } from './groups.ts';
import type { HistoryJson } from './history.ts';
import type { MessageGroupsJson, MessageJson, MessagesJson, PublishResultsJson } from './messages.ts';
import type { OverviewJson, TopicRowsJson } from './overview.ts';
import type { ScheduleDeletedJson, ScheduleJson, ScheduleRunJson, SchedulesJson } from './schedules.ts';
import type { AliveJson, ReadyJson, ServerJson } from './server.ts';
import type { SettingsJson } from './settings.ts';
import type { SessionJson } from './session.ts';
import type { PurgedJson, TopicDeletedJson, TopicDetailsJson, TopicsJson } from './topics.ts';
import type { UsersJson } from './users.ts';

/** The answers of all JSON routes of the admin HTTP, by method and path. */
export interface AdminReplies {
  'GET /healthz': AliveJson;
  'GET /readyz': ReadyJson;
  'GET /api/v1/openapi.json': OpenApiJson;
  'GET /api/v1/server': ServerJson;
  'GET /api/v1/settings': SettingsJson;
  'GET /api/v1/alarms': AlarmsJson;
  'GET /api/v1/session': SessionJson;
  'POST /api/v1/session': SessionJson;
  'DELETE /api/v1/session': SessionJson;
  'GET /api/v1/overview': OverviewJson;
  'GET /api/v1/topic-rows': TopicRowsJson;
  'GET /api/v1/history': HistoryJson;
  'GET /api/v1/topics/:topic/history': HistoryJson;
  'GET /api/v1/topics/:topic/groups/:group/history': HistoryJson;
  'GET /api/v1/connections': ConnectionsJson;
  'DELETE /api/v1/connections/:id': ConnectionClosedJson;
  'GET /api/v1/topics': TopicsJson;
  'POST /api/v1/topics': TopicDetailsJson;
  'GET /api/v1/topics/:topic': TopicDetailsJson;
  'PATCH /api/v1/topics/:topic': TopicDetailsJson;
  'DELETE /api/v1/topics/:topic': TopicDeletedJson;
  'POST /api/v1/topics/:topic/purge': PurgedJson;
  'GET /api/v1/topics/:topic/messages': MessagesJson;
  'POST /api/v1/topics/:topic/messages': PublishResultsJson;
  'GET /api/v1/topics/:topic/messages/:offset': MessageJson;
  'GET /api/v1/topics/:topic/messages/:offset/groups': MessageGroupsJson;
  'GET /api/v1/topics/:topic/delayed': DelayedMessagesJson;
  'GET /api/v1/topics/:topic/delayed/:id': DelayedMessageJson;
  'POST /api/v1/topics/:topic/delayed/move': DelayedChangedJson;
  'POST /api/v1/topics/:topic/delayed/cancel': DelayedChangedJson;
  'POST /api/v1/topics/:topic/delayed/publish': DelayedChangedJson;
  'POST /api/v1/subjects/:subject/messages': PublishResultsJson;
  'GET /api/v1/groups': GroupsJson;
  'GET /api/v1/topics/:topic/groups': GroupsJson;
  'POST /api/v1/topics/:topic/groups': GroupDetailsJson;
  'GET /api/v1/topics/:topic/groups/:group': GroupDetailsJson;
  'PATCH /api/v1/topics/:topic/groups/:group': GroupDetailsJson;
  'DELETE /api/v1/topics/:topic/groups/:group': GroupDeletedJson;
  'POST /api/v1/topics/:topic/groups/:group/pause': GroupDetailsJson;
  'POST /api/v1/topics/:topic/groups/:group/resume': GroupDetailsJson;
  'POST /api/v1/topics/:topic/groups/:group/release-active': GroupDetailsJson;
  'POST /api/v1/topics/:topic/groups/:group/limits': GroupDetailsJson;
  'POST /api/v1/topics/:topic/groups/:group/reset': GroupDetailsJson;
  'POST /api/v1/topics/:topic/groups/:group/receive': ReceivedMessagesJson;
  'POST /api/v1/topics/:topic/groups/:group/settle': SettledJson;
  'POST /api/v1/topics/:topic/groups/:group/reset/preview': SeekPreviewJson;
  'GET /api/v1/schedules': SchedulesJson;
  'POST /api/v1/schedules': ScheduleJson;
  'GET /api/v1/schedules/:schedule': ScheduleJson;
  'DELETE /api/v1/schedules/:schedule': ScheduleDeletedJson;
  'POST /api/v1/schedules/:schedule/pause': ScheduleJson;
  'POST /api/v1/schedules/:schedule/resume': ScheduleJson;
  'POST /api/v1/schedules/:schedule/run': ScheduleRunJson;
  'GET /api/v1/users': UsersJson;
  'GET /api/v1/dead-letters': DeadLetterTopicsJson;
  'GET /api/v1/dead-letters/:topic': MessagesJson<DeadLetterJson>;
  'GET /api/v1/dead-letters/:topic/:offset': DeadLetterJson;
  'GET /api/v1/dead-letters/:topic/causes': DeadLetterCausesJson;
  'POST /api/v1/dead-letters/:topic/redrive': RedrivenJson;
  'POST /api/v1/dead-letters/:topic/purge': PurgedJson;
}

/** The description of the admin HTTP, in the words of OpenAPI 3.1. */
export interface OpenApiJson {
  readonly openapi: string;
  readonly [name: string]: unknown;
}

export type AdminRoute = keyof AdminReplies;

/** The names in the path of a route: `topic` and `group` for `GET /api/v1/topics/:topic/groups/:group`. */
export type AdminParams<R extends string> = R extends `${string}/:${infer Name}/${infer Rest}`
  ? Name | AdminParams<`/${Rest}`>
  : R extends `${string}/:${infer Name}`
    ? Name
    : never;
