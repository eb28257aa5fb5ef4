/** Where an input goes. */
export interface Ports {
  readonly nats: number;
  readonly kafka: number;
}

/** The longest waits of other connections, in milliseconds. */
export interface LongestWait {
  readonly nats: number;
  readonly kafka: number;
  /** What the broker's thread itself took of a processor during one wait: the rest is the machine's. */
  readonly processor: number;
}

/**
 * A costly input is what one client sends to ask for as much work as a few bytes can: each is played by
 * itself.
 */
export interface CostlyInput {
  readonly name: string;
  readonly protocol: 'kafka' | 'nats';
  /** What must be there before: topics, streams, messages. */
  readonly prepare?: (ports: Ports) => Promise<void>;
  /** What each connection sends. */
  readonly bytes: () => Buffer;
  /** Further arguments of the broker. */
  readonly args?: readonly string[];
  /** What each connection of NATS says first; by default it connects and subscribes to the answers. */
  readonly greeting?: string;
  /** Connections that send it at once. */
  readonly connections?: number;
  /**
   * Answers to one connection: response frames of Kafka, messages of NATS. The server may also end the
   * connection.
   */
  readonly answers: number;
}
