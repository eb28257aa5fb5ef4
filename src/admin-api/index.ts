export type { AlarmJson, AlarmsJson } from './alarms.ts';
export type { ConnectionJson, ConnectionClosedJson, ConnectionsJson } from './connections.ts';
export type {
  DeadLetterCauseJson,
  DeadLetterCausesJson,
  DeadLetterFilterJson,
  DeadLetterJson,
  DeadLetterTopicJson,
  DeadLetterTopicsJson,
  RedriveJson,
  RedrivenJson,
} from './dead-letters.ts';
export type {
  DelayedChangedJson,
  DelayedMessageJson,
  DelayedMessagesJson,
  DelayedMoveJson,
  DelayedSelectionJson,
} from './delayed.ts';
export type { ErrorJson } from './error.ts';
export type {
  ActiveJson,
  ConsumerJson,
  GroupConfigJson,
  GroupDeletedJson,
  GroupDetailsJson,
  GroupLimitsJson,
  GroupJson,
  GroupsJson,
  GroupStartJson,
  GroupToCreateJson,
  GroupToUpdateJson,
  PauseJson,
  ResetJson,
  SeekPreviewJson,
} from './groups.ts';
export type { HistoryJson, TrackJson } from './history.ts';
export type {
  HeaderJson,
  MessageGroupJson,
  MessageGroupsJson,
  MessageJson,
  MessageToPublishJson,
  MessagesJson,
  PublishedJson,
  PublishJson,
  PublishResultsJson,
  UniqueKeyJson,
  ValueForm,
} from './messages.ts';
export type {
  AnswerJson,
  ReceivedMessageJson,
  ReceivedMessagesJson,
  ReceiveJson,
  SettledJson,
  SettledOneJson,
  SettleJson,
} from './receive.ts';
export type { AdminBodies, AdminQueries } from './requests.ts';
export type {
  FindingJson,
  GroupChipJson,
  OverviewJson,
  OverviewServerJson,
  TopicRowJson,
  TopicRowsJson,
} from './overview.ts';
export type { AdminParams, AdminReplies, AdminRoute, OpenApiJson } from './replies.ts';
export type {
  ScheduleDeletedJson,
  ScheduleJson,
  ScheduleRunJson,
  SchedulesJson,
  ScheduleToDefineJson,
} from './schedules.ts';
export type { AliveJson, HealthJson, ReadyJson, ServerJson } from './server.ts';
export type { SettingJson, SettingsJson } from './settings.ts';
export type { SessionJson, SessionToBeginJson } from './session.ts';
export type {
  DeadLetterPolicyJson,
  PartitionJson,
  PurgedJson,
  PurgeJson,
  RateJson,
  TopicConfigJson,
  TopicDeletedJson,
  TopicDetailsJson,
  TopicJson,
  TopicsJson,
  TopicToCreateJson,
  TopicToUpdateJson,
} from './topics.ts';
export type { UserJson, UserRulesJson, UsersJson } from './users.ts';
