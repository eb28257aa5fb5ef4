// The exports of the package 'pillarbox/client'.
export type { HandlerContext } from './call.ts';
export { Client, type CodecOptions, type PlainOptions, type SchemaOptions } from './client.ts';
export { connect, type ConnectOptions } from './connect.ts';
export type { CloseOptions } from './context.ts';
export { DeadLetters, Letter, type RedriveOptions } from './dead-letters.ts';
export { Deliveries, type DeliveriesOptions } from './deliveries.ts';
export { Delivery, type NackOptions } from './delivery.ts';
export type { Lag, Origin, Published } from './driver.ts';
export { targets } from './drivers/table.ts';
export { ClientError, MissingPeerError, UnsupportedError, type ClientErrorCode } from './errors.ts';
export { features, type Capabilities, type Feature, type Support } from './features.ts';
export { Group, type NextOptions } from './group.ts';
export type { GroupPlan, GroupSettings } from './group-settings.ts';
export type { Settlement } from './held.ts';
export { Message } from './message.ts';
export type { BatchMessage, MessageOptions, PublishOptions } from './publish.ts';
export { Subscription, type ConsumeOptions, type Handler } from './subscription.ts';
export { Topic } from './topic.ts';
export type { TopicSettings } from './topic-settings.ts';

// What it shares with the embedded API.
export {
  BoxError,
  bytes,
  json,
  MessageHeaders,
  PostponeError,
  RejectError,
  RetryError,
  text,
  ValueError,
  type AnyCodec,
  type Codec,
  type CodecInput,
  type CodecOutput,
  type HeadersInit,
  type SchemaInput,
  type SchemaOutput,
  type StandardSchema,
  type ValueIssue,
} from '../embedded/values.ts';
export {
  SeededRandom,
  SystemClock,
  SystemRandom,
  VirtualClock,
  type Clock,
  type Random,
  type Timer,
} from '../util/index.ts';
