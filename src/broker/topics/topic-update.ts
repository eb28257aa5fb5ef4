import type { Budgets } from '../budgets.ts';
import { topicError } from '../errors.ts';
import type { Topic } from '../model.ts';
import { topicConfig, type TopicConfig } from './topic-config.ts';

/** The checks of the broker for a change of a topic's configuration. */
interface UpdateHost {
  readonly budgets: Budgets;
  /** Throws `subjects-overlap` if another topic captures subjects that these patterns capture. */
  checkSubjects(config: TopicConfig): void;
}

/**
 * The configuration that a topic would have with these options. Throws a BrokerError if it cannot have it.
 */
export function updatedConfig(
  topic: Topic & { readonly groups: { readonly size: number } },
  options: TopicConfig,
  host: UpdateHost,
): TopicConfig {
  const config = topicConfig(options);
  const { name, durability, keyState, partitions, priorities = 0 } = topic.config;
  if (topic.isDeleted) throw topicError(topic, 'topic-not-found', 'was deleted');
  if (config.name !== name || config.durability !== durability)
    throw topicError(topic, 'topic-config-invalid', 'keeps its name and durability for life');
  if (keyState && !config.keyState)
    throw topicError(topic, 'topic-config-invalid', 'has keyState and keeps it for life');
  if ((config.priorities ?? 0) < priorities)
    throw topicError(topic, 'topic-config-invalid', `has ${priorities} priorities and cannot have fewer`);
  if (config.partitions < partitions)
    throw topicError(topic, 'topic-config-invalid', `has ${partitions} partitions and cannot have fewer`);
  if (config.partitions > partitions) {
    const added = config.partitions - partitions;
    host.budgets.check('partitions', added);
    if (topic.groups.size > 0) host.budgets.check('positions', added * topic.groups.size);
  }
  host.checkSubjects(config);
  return config;
}
