export type { Attributes } from './attributes.ts';
export { Broker, type BrokerHealth, type BrokerOptions, type BrokerStats } from './broker.ts';
export { Collector, type CollectorEnd, type CollectorListener, type CollectorOptions } from './collector.ts';
export {
  budgetLimits,
  budgetNames,
  budgetTable,
  type Budget,
  type BudgetLimits,
  type BudgetName,
  type Budgets,
  type BudgetUse,
} from './budgets.ts';
export type { Consumer, ConsumerEnd, ConsumerInfo, Delivery, DetachOptions } from './consumer.ts';
export {
  DeadLetterHeader,
  deadLetterOrigin,
  type DeadLetterOrigin,
  type DeadLetterRoute,
  type LeavingMessage,
} from './dead-letter.ts';
export {
  deadLetterName,
  deadLetterNames,
  topicDeadLetterNames,
  type DeadLetterCause,
  type DeadLetterLimits,
  type DeadLetterPolicy,
  type GroupDeadLetterCause,
  type NamedDeadLetterRoute,
  type TopicDeadLetterPolicy,
} from './dead-letter-policy.ts';
export type { Committed } from './entries.ts';
export { BrokerError, type BrokerErrorCode, type BrokerErrorDetails } from './errors.ts';
export type { BrokerEvent, DeliveryEvent } from './events.ts';
export { Filter, KeyReader, keyFromText, keyText, textFromKey } from './filter.ts';
export type { Group, Unanswered } from './group.ts';
export type { GroupInfo, PositionInfo } from './group-info.ts';
export { groupConfig, type GroupConfig, type GroupOptions, type GroupStart } from './group-config.ts';
export type { KeyState } from './key-index.ts';
export * from './live-message.ts';
export { publishLive, type LivePublished } from './live-publish.ts';
export { recordBytes, recordOf, type Message, type StoredMessage } from './message.ts';
export type { Pacing } from './pacing.ts';
export type { Partition, PartitionWatcher } from './partition.ts';
export type { StoredBatches } from './stored-batches.ts';
export type { PublishListener } from './publishes.ts';
export type {
  PublishToAllListener,
  PublishToAllMode,
  PublishToAllOptions,
  TopicRefusal,
} from './publish-to-all.ts';
export { defaultGroup, type Queue } from './queue.ts';
export { Receipt } from './receipt.ts';
export type { Redriven, RedriveOptions, RedriveRefusal } from './redrive.ts';
export * from './route.ts';
export * from './router.ts';
export type { GroupStats, TopicStats } from './stats.ts';
export type { Published, PublishOptions, Topic } from './topic.ts';
export { topicConfig, type TopicConfig, type TopicOptions } from './topic-config.ts';
export type { TransactionLimits } from './transaction-limits.ts';
export type {
  PositionInTransaction,
  ProducerIdentity,
  TransactionalProducer,
} from './transactional-producer.ts';
export type { BatchTransaction, TransactionCaller, Transactions } from './transactions.ts';
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
