/** The lengths and sizes of the measurements. */
export interface Settings {
  readonly rounds: number;
  /** How long one measurement lasts. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly sizes: readonly number[];
  readonly windows: readonly number[];
  readonly consumers: readonly number[];
  readonly topics: readonly number[];
  /** Messages stored before the consumers of one measurement start. */
  readonly consumeMessages: number;
  readonly backlogMessages: number;
  /** Messages with a TTL that are due together. */
  readonly expiringMessages: number;
  /** Bytes of the partition that a Kafka consumer reads from its beginning. */
  readonly backlogBytes: number;
  readonly kafkaPartitions: number;
  readonly kafkaMembers: number;
  readonly amqpConnections: number;
  readonly amqpQueues: number;
  readonly sqsFifoMessages: number;
  readonly sqsFifoGroups: number;
  readonly sqsPolls: number;
  /** How long the server is watched while they wait. */
  readonly sqsPollSeconds: number;
  readonly sqsInFlight: number;
  /** Payload bytes that are published before the server is killed. */
  readonly recoveryBytes: number;
}

const mib = 1024 * 1024;

export const fullSettings: Settings = {
  rounds: 5,
  seconds: 2,
  warmUpSeconds: 0.5,
  sizes: [16, 128, 1024],
  windows: [1, 64, 1024, 4096],
  consumers: [1, 4],
  topics: [1, 100, 1000],
  consumeMessages: 1_000_000,
  backlogMessages: 10_000_000,
  expiringMessages: 1_000_000,
  backlogBytes: 1024 * mib,
  kafkaPartitions: 10_000,
  kafkaMembers: 1000,
  amqpConnections: 10_000,
  amqpQueues: 1000,
  sqsFifoMessages: 200_000,
  sqsFifoGroups: 1000,
  sqsPolls: 1000,
  sqsPollSeconds: 20,
  sqsInFlight: 1_000_000,
  recoveryBytes: 256 * mib,
};

/** All cases in a minute or two, with rough figures. */
export const quickSettings: Settings = {
  ...fullSettings,
  rounds: 1,
  seconds: 0.5,
  warmUpSeconds: 0.2,
  consumeMessages: 100_000,
  backlogMessages: 200_000,
  expiringMessages: 100_000,
  backlogBytes: 64 * mib,
  kafkaPartitions: 1000,
  kafkaMembers: 100,
  amqpConnections: 500,
  amqpQueues: 100,
  sqsFifoMessages: 10_000,
  sqsFifoGroups: 100,
  sqsPolls: 100,
  sqsPollSeconds: 3,
  sqsInFlight: 20_000,
  recoveryBytes: 16 * mib,
};
