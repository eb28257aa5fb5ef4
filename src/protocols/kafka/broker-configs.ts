import type { KafkaHost } from './kafka-host.ts';
import { ConfigType, type ShownConfig } from './topic-configs.ts';

/** The broker's own settings in Kafka's words, for tools that ask; they are changed where the server is configured. */
export function brokerConfigs({ autoCreation, limits, nodeId }: KafkaHost): readonly ShownConfig[] {
  const shown: [name: string, value: string, preset: string, type: ConfigType][] = [
    ['auto.create.topics.enable', String(autoCreation.enabled), 'true', ConfigType.boolean],
    ['broker.id', String(nodeId), String(nodeId), ConfigType.int],
    ['connections.max.idle.ms', String(limits.idleMsMax), '600000', ConfigType.long],
    ['default.replication.factor', '1', '1', ConfigType.int],
    ['delete.topic.enable', 'true', 'true', ConfigType.boolean],
    ['fetch.max.bytes', String(limits.fetchBytesMax), '57671680', ConfigType.int],
    ['log.cleanup.policy', 'delete', 'delete', ConfigType.list],
    ['log.retention.bytes', '-1', '-1', ConfigType.long],
    ['log.retention.ms', '-1', '-1', ConfigType.long],
    ['max.connections', String(limits.connectionsMax), '2147483647', ConfigType.int],
    ['min.insync.replicas', '1', '1', ConfigType.int],
    ['node.id', String(nodeId), String(nodeId), ConfigType.int],
    ['num.partitions', String(autoCreation.partitions), '1', ConfigType.int],
    ['offsets.topic.replication.factor', '1', '1', ConfigType.int],
    ['socket.request.max.bytes', String(limits.requestBytesMax), '104857600', ConfigType.int],
    ['transaction.state.log.replication.factor', '1', '1', ConfigType.int],
  ];
  return shown.map(([name, value, preset, type]) => ({ name, value, default: preset, type }));
}
