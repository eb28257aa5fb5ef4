import { ErrorCode } from '../../../wire/kafka/index.ts';
import { KafkaError } from '../errors.ts';
import { ResourceType } from '../resource-type.ts';
import type { Rights } from './rights.ts';

/**
 * Checks that the client may describe or alter the configs of a resource. Throws a KafkaError
 * CLUSTER_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED or GROUP_AUTHORIZATION_FAILED.
 */
export function checkConfigRights(
  rights: Rights,
  operation: number,
  resourceType: number,
  name: string,
): void {
  switch (resourceType) {
    case ResourceType.topic:
      if (rights.mayTopic(operation, name)) return;
      throw new KafkaError(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    case ResourceType.group:
      if (rights.mayGroup(operation, name)) return;
      throw new KafkaError(ErrorCode.GROUP_AUTHORIZATION_FAILED);
    default:
      if (rights.mayCluster(operation)) return;
      throw new KafkaError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
  }
}
