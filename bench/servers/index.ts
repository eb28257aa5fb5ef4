export type { Contender, ContenderName, Environment } from './contender.ts';
export { findContenders, projectRoot, type FindOptions } from './find.ts';
export { AmqpQueues, type QueueType } from './amqp-queues.ts';
export { JetStream, type StreamOptions } from './jetstream.ts';
export type { Memory } from './process-usage.ts';
export { ServerProcess } from './server-process.ts';
export { SqsQueues } from './sqs-queues.ts';
