import { kafkaSettingRules, type KafkaSettingName } from './kafka-settings.ts';
import { securitySettingRules, type SecuritySettingName } from './security/settings.ts';
import { ConfigSource, ConfigType, type ShownConfig } from './config-values.ts';
import type { KafkaHost } from './kafka-host.ts';
import { topicDefaults } from './topic-configs.ts';

/**
 * The broker's own settings under Kafka's names, read-only for tools. They are changed in the server's
 * configuration.
 */
export function brokerConfigs({ autoCreation, limits, nodeId, settings }: KafkaHost): ShownConfig[] {
  const { boolean, int, long, list, short, string } = ConfigType;
  const fixed: [name: string, value: string, preset: string, type: ConfigType][] = [
    ['auto.create.topics.enable', String(autoCreation.enabled), 'true', boolean],
    ['broker.id', String(nodeId), '-1', int],
    ['connections.max.idle.ms', String(limits.idleMsMax), '600000', long],
    ['default.replication.factor', '1', '1', int],
    ['delete.topic.enable', 'true', 'true', boolean],
    ['fetch.max.bytes', String(limits.fetchBytesMax), '57671680', int],
    ['group.consumer.assignors', 'uniform,range', 'uniform,range', list],
    ['max.connections', String(limits.connectionsMax), '2147483647', int],
    ['max.request.partition.size.limit', '2000', '2000', int],
    ['num.partitions', String(autoCreation.partitions), '1', int],
    ['offsets.topic.replication.factor', '1', '3', short],
    ['producer.id.expiration.ms', '86400000', '86400000', int],
    ['socket.request.max.bytes', String(limits.requestBytesMax), '104857600', int],
    ['transaction.state.log.replication.factor', '1', '3', short],
  ];
  const set = (Object.keys(kafkaSettingRules) as KafkaSettingName[]).map((name): (typeof fixed)[number] => {
    const type = name === 'connections.max.reauth.ms' ? long : int;
    return [name, String(settings[name]), String(kafkaSettingRules[name].default), type];
  });
  const texts = (Object.keys(securitySettingRules) as SecuritySettingName[]).map(
    (name): (typeof fixed)[number] => {
      const type = name.startsWith('allow.') ? boolean : string;
      return [name, settings[name], securitySettingRules[name].default, type];
    },
  );
  return [...fixed, ...set, ...texts].map(brokerConfig).concat(topicDefaults());
}

function brokerConfig([name, value, preset, type]: readonly [
  string,
  string,
  string,
  ConfigType,
]): ShownConfig {
  const isDefault = value === preset;
  const source = isDefault ? ConfigSource.default : ConfigSource.staticBroker;
  const fallback = { name, value: preset, source: ConfigSource.default };
  const synonyms = isDefault ? [fallback] : [{ name, value, source }, fallback];
  return { name, value, type, source, readOnly: true, synonyms };
}
