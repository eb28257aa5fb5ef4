// What the test kit puts a client together from.
export { Client } from './client.ts';
export type {
  Answer,
  DeliverySink,
  Driver,
  Incoming,
  Lag,
  LetterStore,
  OutgoingMessage,
  Published,
  Puller,
  StoredMessage,
} from './driver.ts';
export { openEmbedded } from './drivers/embedded/driver.ts';
export type { Capabilities } from './features.ts';
export type { GroupPlan, GroupSettings } from './group-settings.ts';
export type { TopicSettings } from './topic-settings.ts';
