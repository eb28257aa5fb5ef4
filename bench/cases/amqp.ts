import { amqplibCase } from './amqp-amqplib.ts';
import { amqpConsumeCase } from './amqp-consume.ts';
import { amqpLatencyCase } from './amqp-latency.ts';
import { amqpBacklogCase, amqpConnectionsCase } from './amqp-memory.ts';
import { amqpFanoutCase, amqpManyQueuesCase, amqpPublishCase } from './amqp-publish.ts';
import type { Case } from './case.ts';

export const amqpCases: readonly Case[] = [
  amqpPublishCase,
  amqpConsumeCase,
  amqplibCase,
  amqpFanoutCase,
  amqpManyQueuesCase,
  amqpLatencyCase,
  amqpConnectionsCase,
  amqpBacklogCase,
];
