import { amqpCases } from './amqp.ts';
import type { Case } from './case.ts';
import { clientCase } from './client.ts';
import { coreCases } from './core.ts';
import { expiryCase } from './expiry.ts';
import { jetStreamConsumeCase } from './jetstream-consume.ts';
import { jetStreamPublishCase, jetStreamPublishMemoryCase } from './jetstream-publish.ts';
import { kafkaFetchCase, kafkaProduceCase } from './kafka.ts';
import { kafkaScaleCase } from './kafka-scale.ts';
import { keyRunsCase } from './key-runs.ts';
import { manyTopicsCase } from './many-topics.ts';
import { backlogCase, memoryCase } from './memory.ts';
import { priorityCase } from './priority.ts';
import { ratesCase } from './rates.ts';
import { recoveryCase } from './recovery.ts';
import { requestReplyCase } from './request-reply.ts';
import { schedulesCase } from './schedules.ts';
import { sqsCases } from './sqs.ts';
import { startUpCase } from './start-up.ts';
import { syncLatencyCase } from './sync-latency.ts';
import { uniqueKeysCase } from './unique-keys.ts';

export { coresKeys } from './case.ts';
export type { Case, Goal, Metric, Row, RowResult, Sample, Unit, Workbench } from './case.ts';

/** All cases, in the order in which they are measured and printed. */
export const cases: readonly Case[] = [
  ...coreCases,
  requestReplyCase,
  jetStreamPublishCase,
  jetStreamPublishMemoryCase,
  syncLatencyCase,
  jetStreamConsumeCase,
  manyTopicsCase,
  kafkaProduceCase,
  kafkaFetchCase,
  kafkaScaleCase,
  ...amqpCases,
  ...sqsCases,
  startUpCase,
  memoryCase,
  backlogCase,
  expiryCase,
  priorityCase,
  recoveryCase,
  schedulesCase,
  keyRunsCase,
  uniqueKeysCase,
  ratesCase,
  clientCase,
];
