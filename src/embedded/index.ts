export { Batches, DeliveryBatch, type BatchesOptions } from './batches.ts';
export { Box, type CodecOptions, type PlainOptions, type SchemaOptions } from './box.ts';
export type { BrowseOptions } from './browse.ts';
export type { HandlerContext } from './call.ts';
export { bytes, json, text, type AnyCodec, type Codec, type CodecInput, type CodecOutput } from './codec.ts';
export type { CloseOptions } from './context.ts';
export { DeadLetters, type Redriven, type RedriveOptions, type RedriveRefusal } from './dead-letters.ts';
export {
  Delayed,
  type DelayedListOptions,
  type DelayedMessage,
  type DelayedSelection,
  type DelayedTime,
} from './delayed.ts';
export { Deliveries, type DeliveriesOptions } from './deliveries.ts';
export { Delivery, type NackOptions, type PostponeOptions } from './delivery.ts';
export {
  BoxError,
  RejectError,
  RetryError,
  PostponeError,
  ValueError,
  type BoxErrorCode,
  type ValueIssue,
} from './errors.ts';
export type { BoxEvent, DeliveryEvent } from './events.ts';
export { Follow, type FollowOptions } from './follow.ts';
export { Group, type NextOptions } from './group.ts';
export type { GroupSettings, Start } from './group-settings.ts';
export { MessageHeaders, type HeadersInit } from './headers.ts';
export {
  Live,
  type LivePublishOptions,
  type PlainRespondOptions,
  type RequestOptions,
  type RespondOptions,
} from './live.ts';
export { Responder, type RequestHandler } from './responder.ts';
export { LiveMessage } from './live-message.ts';
export { LiveSubscription, type LiveSubscribeOptions } from './live-subscription.ts';
export { Message, type MessageParts } from './message.ts';
export { open, type OpenOptions } from './open.ts';
export { BatchError, type BatchMessage, type MessageOptions, type PublishOptions } from './publish.ts';
export type { ExclusiveOptions, PrecedenceOptions } from './precedence.ts';
export { Schedule, type ScheduleSettings } from './schedule.ts';
export type { Settlement } from './receipt.ts';
export type { SchemaInput, SchemaOutput, StandardSchema } from './schema.ts';
export {
  Subscription,
  type BatchHandler,
  type ConsumeBatchesOptions,
  type ConsumeOptions,
  type Handler,
} from './subscription.ts';
export { Topic } from './topic.ts';
export type { TopicSettings } from './topic-settings.ts';
export type { OpenTelemetryApi } from './tracing.ts';

// Types and errors that the box passes on from the broker, and the seams for tests.
export {
  BrokerError,
  LogError,
  type ActiveInfo,
  type BrokerErrorCode,
  type BrokerErrorDetails,
  type BrokerHealth,
  type BrokerStats,
  type DamageReport,
  type DeadLetterCause,
  type DeadLetterLimits,
  type DeadLetterOrigin,
  type DeadLetterPolicy,
  type GroupDeadLetterCause,
  type TopicDeadLetterPolicy,
  type MissedRuns,
  type ScheduleFailure,
  type GroupConfig,
  type GroupStats,
  type Published,
  type TopicConfig,
  type TopicStats,
  type UniqueOptions,
  type WatermarkOptions,
} from '../broker/index.ts';
export {
  SeededRandom,
  SystemClock,
  SystemRandom,
  VirtualClock,
  type Clock,
  type Random,
  type Timer,
} from '../util/index.ts';
