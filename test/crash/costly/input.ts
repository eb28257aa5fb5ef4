/** Where an input goes. */
export interface Ports {
  readonly nats: number;
  readonly kafka: number;
  readonly amqp: number;
  readonly amqpAdmin: number;
}

/** The longest waits of other connections, in milliseconds. */
export interface LongestWait {
  readonly nats: number;
  readonly kafka: number;
  readonly amqp: number;
  /** Processor time of the broker's thread during one wait: the rest is the machine's. */
  readonly processor: number;
}

/**
 * A costly input is the bytes of one client that ask for the most work per byte. Each is played by itself.
 */
export interface CostlyInput {
  readonly name: string;
  readonly protocol: keyof Ports;
  /** Creates the topics, streams and messages that the input needs. */
  readonly prepare?: (ports: Ports) => Promise<void>;
  /** The bytes of each connection. */
  readonly bytes: () => Buffer;
  /** Further arguments of the broker. */
  readonly args?: readonly string[];
  /** The first bytes of each NATS connection; by default it connects and subscribes to the answers. */
  readonly greeting?: string;
  /** Connections that send it at once. */
  readonly connections?: number;
  /**
   * Answers to one connection: response frames of Kafka, messages of NATS. An AMQP client has its answer when
   * its channel or its connection is closed. The server may also end the connection, as it does after an HTTP
   * request that asks for that.
   */
  readonly answers: number;
}
