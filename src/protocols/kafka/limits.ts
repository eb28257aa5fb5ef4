/** The Kafka frontend's limits; all of them apply per broker or connection as said. */
export interface KafkaLimits {
  readonly connectionsMax: number;
  /** Largest request frame, in bytes (Kafka: socket.request.max.bytes). Only Produce may have so many. */
  readonly requestBytesMax: number;
  /** Largest request frame of every other API: none of them carries records. */
  readonly commandBytesMax: number;
  /** Elements that the arrays of a request may have together; charged before anything is made of them. */
  readonly requestElementsMax: number;
  /** Largest frame of a connection that has not authenticated, in bytes. */
  readonly requestBytesMaxBeforeAuth: number;
  /** Requests of one connection under way at once; beyond it the socket is not read. */
  readonly requestsMax: number;
  /** Bytes of the requests of one connection under way at once. */
  readonly requestBytesUnderWayMax: number;
  /**
   * Response bytes that may wait for a client to read them; beyond it no further request of it is handled. A
   * fetch is begun up to `fetchBytesMax`.
   */
  readonly responseBytesMax: number;
  /** A client that reads nothing for so long, while answers wait for it, is cut. */
  readonly writeDeadlineMs: number;
  /** A connection without any request for so long is closed (Kafka: connections.max.idle.ms). */
  readonly idleMsMax: number;
  /** A connection must have authenticated within so long. */
  readonly authTimeoutMs: number;
  /** Largest answer to a fetch, in bytes of records; a first batch larger than this goes out nevertheless. */
  readonly fetchBytesMax: number;
  /** A fetch waits for new records so long at most. */
  readonly fetchWaitMsMax: number;
  /** Topics that one Metadata request makes by naming them; the others it names are made by the next. */
  readonly autoCreationsMax: number;
  /** Partitions of the topics that CreateTopics and CreatePartitions make, per topic. */
  readonly partitionsMax: number;
  /**
   * A topic that was deleted is made again for so long only by requests that say so, not by those that ask
   * for it.
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
