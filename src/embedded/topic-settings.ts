import type { TopicConfig, TopicOptions } from '../broker/index.ts';
import { sameConfig } from './group-settings.ts';

/**
 * What a topic can be told: see the broker's `TopicConfig` for each member and its default. What is left out keeps its value, or is the
 * default when the topic is new. A limit of Infinity is none.
 */
export type TopicSettings = Partial<Omit<TopicConfig, 'name' | 'attributes'>>;

/** A new topic's options. */
export function newTopic(name: string, settings: TopicSettings): TopicOptions {
  return withoutInfinite({ ...settings, name });
}

/** The configuration an existing topic would have with these settings; undefined when nothing changes. */
export function changedTopic(config: TopicConfig, settings: TopicSettings): TopicConfig | undefined {
  const changed = withoutInfinite({ ...config, ...settings });
  return sameConfig(config, changed) ? undefined : changed;
}

function withoutInfinite<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== Infinity)) as T;
}
