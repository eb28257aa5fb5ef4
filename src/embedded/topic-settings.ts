import type { TopicConfig, TopicOptions } from '../broker/index.ts';
import { BrokerError } from '../broker/index.ts';
import { sameConfig } from './group-settings.ts';
import { shownValue, unknownName } from './options.ts';

/**
 * The settings of a topic; see the broker's `TopicConfig` for each member and its default. A setting that is
 * left out keeps its value, or takes the default if the topic is new. Infinity means no limit.
 */
export type TopicSettings = Partial<Omit<TopicConfig, 'name' | 'attributes'>>;

const settingNames = {
  partitions: true,
  subjects: true,
  durability: true,
  retention: true,
  messagesMax: true,
  bytesMax: true,
  ageMsMax: true,
  messagesPerKeyMax: true,
  messageBytesMax: true,
  groupsMax: true,
  priorities: true,
  ageingMs: true,
  overflow: true,
  overflowPerKey: true,
  publishRate: true,
  overRate: true,
  dedupeWindowMs: true,
  dedupeEntriesMax: true,
  keyState: true,
  compaction: true,
  timestamps: true,
  ageFrom: true,
  expiryMarker: true,
  sealed: true,
  deadLetter: true,
} satisfies { readonly [K in keyof TopicSettings]-?: true };

/** Checks the names of settings; the broker checks their values. */
function checkNames(topic: string, settings: TopicSettings): void {
  const invalid = (problem: string): never => {
    throw new BrokerError('topic-config-invalid', `Topic "${topic}" cannot be configured so: ${problem}`, {
      topic,
    });
  };
  if (typeof settings !== 'object' || settings === null)
    return invalid(`its settings must be an object, not ${shownValue(settings)}.`);
  for (const name of Object.keys(settings))
    if (!Object.hasOwn(settingNames, name)) invalid(unknownName('there is no setting', name, settingNames));
}

/** A new topic's options. */
export function newTopic(name: string, settings: TopicSettings): TopicOptions {
  checkNames(name, settings);
  return withoutInfinite({ ...settings, name });
}

/** The configuration of an existing topic after these changes; undefined if nothing changes. */
export function changedTopic(config: TopicConfig, settings: TopicSettings): TopicConfig | undefined {
  checkNames(config.name, settings);
  const changed = withoutInfinite({ ...config, ...withoutUndefined(settings) });
  return sameConfig(config, changed) ? undefined : changed;
}

/** An undefined setting counts as left out: it changes nothing. */
function withoutUndefined<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

function withoutInfinite<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== Infinity)) as T;
}
