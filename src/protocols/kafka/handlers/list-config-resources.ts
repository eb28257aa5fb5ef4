import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { ResourceType } from '../resource-type.ts';

/** Version 0 asks for client metrics, which cannot be configured here. Unknown types have no resources. */
export const listConfigResources: Handler<'ListConfigResources'> = ({ resourceTypes }, { host, version }) => {
  const types = new Set(
    version >= 1 && resourceTypes.length === 0 ? Object.values(ResourceType) : resourceTypes,
  );
  const configResources = Array.from(types).flatMap((resourceType) =>
    namesOf(resourceType, host).map((resourceName) => ({ resourceName, resourceType })),
  );
  return { errorCode: ErrorCode.NONE, configResources };
};

function namesOf(type: number, { broker, topicNames, nodeId, coordinator }: KafkaHost): readonly string[] {
  switch (type) {
    case ResourceType.topic:
      return Array.from(broker.topics.values(), (topic) => topicNames.nameOf(topic));
    case ResourceType.broker:
      return [String(nodeId)];
    case ResourceType.group:
      return coordinator.configs.groupIds();
    default:
      return [];
  }
}
