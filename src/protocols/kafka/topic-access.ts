import { ErrorCode, type Uuid } from '../../wire/kafka/index.ts';
import { KafkaError } from './errors.ts';
import type { RequestContext } from './handler.ts';
import { fullRights, Operation } from './security/index.ts';

type Asking = Pick<RequestContext, 'host' | 'rights'>;

/** Whether the client may do an operation on the topic of that name, whether it exists or not. */
export function mayUse({ rights }: Asking, operation: number, name: string): boolean {
  return rights === fullRights || rights.mayTopic(operation, name);
}

/** The same for a topic by its id; true if there is no such topic, so that the answer can say so. */
export function mayUseId({ host, rights }: Asking, operation: number, id: Uuid): boolean {
  if (rights === fullRights) return true;
  const { topicIds, topicNames, offsetsTopic } = host;
  const topic = topicIds.topic(id);
  if (topic) return rights.mayTopic(operation, topicNames.nameOf(topic));
  return !offsetsTopic.isId(id) || rights.mayTopic(operation, offsetsTopic.name);
}

/** Throws a KafkaError TOPIC_AUTHORIZATION_FAILED if the client may not describe one of the topics. */
export function checkDescribed(names: readonly string[] | null, context: Asking): void {
  for (const name of names ?? [])
    if (!mayUse(context, Operation.describe, name))
      throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
}
