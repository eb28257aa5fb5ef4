/**
 * Opens compressed batches of Kafka producers. It is separate from the protocol because the log needs it
 * before a client is connected.
 */
export { decompress } from '../wire/kafka/compression/index.ts';
