import type { BrokerError, PublishToAllOptions, Record, Topic } from '../../broker/index.ts';

/** Why a queue would refuse a message now; undefined if it would not. Changes nothing. */
export function refusalOf(
  topic: Topic,
  record: Record,
  options: PublishToAllOptions | undefined,
): BrokerError | undefined {
  const priority = options?.priority === undefined ? {} : { priority: topic.priorityLike(options.priority) };
  const admission = topic.admit(record, options && { ...options, ...priority });
  if (admission.kind === 'refused') return admission.error;
  return admission.kind === 'waits' ? admission.full : topic.publishRate.refusalOf();
}
