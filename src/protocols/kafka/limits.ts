/** The Kafka frontend's limits, each per broker or per connection as stated. */
export interface KafkaLimits {
  readonly connectionsMax: number;
  /** Largest request frame, in bytes (Kafka: socket.request.max.bytes). Only Produce may use all of it. */
  readonly requestBytesMax: number;
  /** Largest request frame of every other API, none of which carries records. */
  readonly commandBytesMax: number;
  /** Number of elements in all arrays of a request together; checked before any of them is created. */
  readonly requestElementsMax: number;
  /** Largest frame of a connection that has not authenticated, in bytes. */
  readonly requestBytesMaxBeforeAuth: number;
  /** Number of pending requests of one connection; above it the socket is not read. */
  readonly requestsMax: number;
  /** Bytes of the pending requests of one connection. */
  readonly requestBytesUnderWayMax: number;
  /**
   * Response bytes that may wait for a client to read them; above it no further request of the client is
   * handled. A fetch is started up to `fetchBytesMax`.
   */
  readonly responseBytesMax: number;
  /** A client that reads nothing for this time, while answers wait for it, is disconnected. */
  readonly writeDeadlineMs: number;
  /** A connection without any request for this time is closed (Kafka: connections.max.idle.ms). */
  readonly idleMsMax: number;
  /** Time within which a connection must authenticate. */
  readonly authTimeoutMs: number;
  /** Largest answer to a fetch, in bytes of records; a first batch that is larger is sent nevertheless. */
  readonly fetchBytesMax: number;
  /** Longest wait of a fetch for new records. */
  readonly fetchWaitMsMax: number;
  /**
   * Number of topics that one Metadata request may create by naming them; the next request creates further
   * ones.
   */
  readonly autoCreationsMax: number;
  /** Number of partitions per topic that CreateTopics and CreatePartitions may create. */
  readonly partitionsMax: number;
  /**
   * For this time after its deletion, a topic is created again only by an explicit request, not by a request
   * that only asks for it.
   */
  readonly recreateDelayMs: number;
}

export const defaultLimits: KafkaLimits = {
  connectionsMax: 65_536,
  requestBytesMax: 100 * 1024 * 1024,
  commandBytesMax: 4 * 1024 * 1024,
  requestElementsMax: 100_000,
  requestBytesMaxBeforeAuth: 64 * 1024,
  requestsMax: 256,
  requestBytesUnderWayMax: 128 * 1024 * 1024,
  responseBytesMax: 64 * 1024 * 1024,
  writeDeadlineMs: 30_000,
  idleMsMax: 10 * 60_000,
  authTimeoutMs: 10_000,
  fetchBytesMax: 8 * 1024 * 1024,
  fetchWaitMsMax: 5 * 60_000,
  autoCreationsMax: 100,
  partitionsMax: 10_000,
  recreateDelayMs: 5000,
};

export function kafkaLimits(limits: Partial<KafkaLimits> = {}): KafkaLimits {
  return { ...defaultLimits, ...limits };
}
