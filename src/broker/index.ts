// The interface of the broker for other layers. model.ts has its nouns on one page; ARCHITECTURE.md its
// wings.

export type { Attributes } from './attributes.ts';
export type { BrokerEvent, DeliveryEvent } from './assemble.ts';
export { Broker, type BrokerStats } from './broker.ts';
export type { BrokerOptions } from './broker-options.ts';
export type { BrokerHealth } from './condition.ts';
export {
  Collector,
  type CollectorEnd,
  type CollectorListener,
  type CollectorOptions,
} from './groups/collector.ts';
export { budgetNames, budgetTable, type Budget, type BudgetName } from './budget-table.ts';
export { budgetLimits, type BudgetLimits, type Budgets, type BudgetUse } from './budgets.ts';
export {
  DeadLetterHeader,
  deadLetterOrigin,
  type DeadLetterOrigin,
  type DeadLetterRoute,
  type LeavingMessage,
} from './dead-letters/dead-letter.ts';
export {
  deadLetterName,
  type DeadLetterCause,
  type DeadLetterLimits,
  type DeadLetterPolicy,
  type GroupDeadLetterCause,
  type NamedDeadLetterRoute,
  type TopicDeadLetterPolicy,
} from './dead-letters/dead-letter-policy.ts';
export { deadLetterNames, topicDeadLetterNames } from './dead-letters/resolved-policy.ts';
export type { Committed } from './entries.ts';
export { BrokerError, type BrokerErrorCode, type BrokerErrorDetails } from './errors.ts';
export { Filter, KeyReader, keyFromText, keyText, textFromKey } from './partitions/filter.ts';
export type { Unanswered } from './groups/group.ts';
export type { GroupInfo, PositionInfo } from './groups/group-info.ts';
export { groupConfig, type GroupConfig, type GroupOptions, type GroupStart } from './groups/group-config.ts';
export type { KeyState } from './partitions/key-index.ts';
export * from './live/live-message.ts';
export { publishLive, type LivePublished } from './live/live-publish.ts';
export type {
  ActiveInfo,
  AttachOptions,
  Consumer,
  ConsumerEnd,
  ConsumerInfo,
  Delivery,
  DetachOptions,
  PostponeScope,
  Message,
  Overflow,
  StoredMessage,
} from './model.ts';
export { recordBytes, recordOf } from './partitions/message.ts';
export type { Pacing } from './pacing.ts';
export type { PartitionWatcher } from './partitions/partition.ts';
export type { StoredBatches } from './partitions/stored-batches.ts';
export type { DelayedMessage, DelayedPage, DelayedQuery } from './topics/delayed-message.ts';
export type { DelayedMessages } from './topics/delayed-messages.ts';
export type {
  BatchTransaction,
  Published,
  PublishListener,
  PublishOptions,
  UniqueOptions,
} from './topics/publishes.ts';
export type {
  PublishToAllListener,
  PublishToAllMode,
  PublishToAllOptions,
  TopicRefusal,
} from './topics/publish-to-all.ts';
export {
  scheduleConfig,
  ScheduleHeader,
  type MissedRuns,
  type ScheduleConfig,
  type ScheduledMessage,
  type ScheduleOptions,
  type ScheduleTimes,
} from './schedules/schedule-config.ts';
export type { Schedule, ScheduleFailure } from './schedules/schedule.ts';
export type { Schedules } from './schedules/schedules.ts';
export { defaultGroup, type Queue } from './queue.ts';
export { Receipt } from './groups/receipt.ts';
export type { Redriven, RedriveOptions, RedriveRefusal } from './dead-letters/redrive.ts';
export * from './live/route.ts';
export * from './live/router.ts';
export { messagesByPriority, type GroupStats, type TopicStats } from './stats.ts';
export type { Topic, TopicGroup as Group, TopicPartition as Partition } from './topics/topic.ts';
export {
  prioritiesMax,
  topicConfig,
  type ExpiryMarker,
  type TopicConfig,
  type TopicOptions,
} from './topics/topic-config.ts';
export type { TransactionLimits } from './transactions/transaction-limits.ts';
export type {
  PositionInTransaction,
  ProducerIdentity,
  TransactionalProducer,
} from './transactions/transactional-producer.ts';
export type { TransactionCaller, Transactions } from './transactions/transactions.ts';
export type { WatermarkOptions } from './watermarks.ts';
export {
  LogError,
  MemoryFiles,
  OverlayFiles,
  RealFiles,
  Record,
  listQuarantine,
  noHeaders,
  repairIdentity,
  type DamageReport,
  type Files,
  type Header,
  type QuarantinedItem,
  type RepairedIdentity,
} from '../log/index.ts';
export type { ClockJump } from '../util/index.ts';
