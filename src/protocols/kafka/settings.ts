import {
  choiceOfBoolean,
  count,
  duration,
  endpoint,
  pemFile,
  portOrOff,
  size,
  text,
  type SettingTable,
} from '../setting.ts';

/** The settings of Kafka. */
export interface KafkaDoorSettings {
  readonly kafkaPort: number | 'off';
  readonly kafkaAdvertise: string | undefined;
  readonly kafkaUser: string | undefined;
  readonly kafkaPassword: string | undefined;
  readonly kafkaTlsCert: string | undefined;
  readonly kafkaTlsKey: string | undefined;
  readonly kafkaTlsCa: string | undefined;
  readonly kafkaAutoCreate: boolean;
  readonly kafkaConfig: string | undefined;
  readonly kafkaRecreateDelayMs: number;
  readonly kafkaPartitions: number;
  readonly kafkaProduceBytesMax: number;
  readonly kafkaCommandBytesMax: number;
  readonly kafkaElementsMax: number;
  readonly kafkaAutoCreationsMax: number;
}

export const kafkaDoorSettings: SettingTable<KafkaDoorSettings> = {
  kafkaPort: portOrOff({ name: 'kafka-port', default: 9092, help: 'port for Kafka clients, or off' }),
  kafkaAdvertise: endpoint({
    name: 'kafka-advertise',
    default: undefined,
    help: 'address Kafka clients are told to connect to (default: the one each came by)',
  }),
  kafkaUser: text<string | undefined>({
    name: 'kafka-user',
    default: undefined,
    help: 'user name Kafka clients must give, by SASL PLAIN or SCRAM (default: the one for NATS)',
  }),
  kafkaPassword: text<string | undefined>({
    name: 'kafka-password',
    default: undefined,
    secret: true,
    help: 'password Kafka clients must give (better set by environment: a flag shows in ps)',
  }),
  kafkaTlsCert: pemFile('kafka-tls-cert', 'certificate (PEM): Kafka clients must use TLS'),
  kafkaTlsKey: pemFile('kafka-tls-key', 'private key (PEM) of that certificate'),
  kafkaTlsCa: pemFile('kafka-tls-ca', 'certificates (PEM) that those of Kafka clients must be signed by'),
  kafkaAutoCreate: choiceOfBoolean({
    name: 'kafka-auto-create',
    default: true,
    help: 'whether a topic comes into being when a Kafka client asks for it',
  }),
  kafkaConfig: text<string | undefined>({
    name: 'kafka-config',
    placeholder: 'NAME=VALUE,…',
    default: undefined,
    help: 'broker configs by Kafka’s names, such as node.id and the bounds of groups (docs/configuration.md)',
  }),
  kafkaRecreateDelayMs: duration(3_600_000, {
    name: 'kafka-recreate-delay',
    default: 5000,
    help: 'for how long a deleted topic is not made again by a Kafka client that asks for it',
  }),
  kafkaPartitions: count(10_000, {
    name: 'kafka-partitions',
    default: 1,
    help: 'partitions of topics that Kafka clients create without saying how many',
  }),
  kafkaProduceBytesMax: size(64 * 2 ** 10, 2 ** 30, {
    name: 'kafka-produce-max',
    default: 100 * 2 ** 20,
    help: 'largest produce request of Kafka clients',
  }),
  kafkaCommandBytesMax: size(64 * 2 ** 10, 2 ** 30, {
    name: 'kafka-command-max',
    default: 4 * 2 ** 20,
    help: 'largest request of Kafka clients that is no produce request',
  }),
  kafkaElementsMax: count(10_000_000, {
    name: 'kafka-elements-max',
    default: 100_000,
    help: 'array elements (topics, partitions, groups, …) in one request of Kafka clients',
  }),
  kafkaAutoCreationsMax: count(100_000, {
    name: 'kafka-auto-creations-max',
    default: 100,
    help: 'topics that one Metadata request of a Kafka client makes by naming them',
  }),
};
