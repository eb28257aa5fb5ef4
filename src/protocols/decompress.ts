/**
 * What opens compressed batches of Kafka producers, apart from the protocol: whoever opens a log needs it
 * before anybody is connected.
 */
export { decompress } from '../wire/kafka/compression/index.ts';
