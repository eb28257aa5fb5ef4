import type { Target } from '../target.ts';
import { amqpFrames } from './amqp-frames.ts';
import { amqpSession } from './amqp-session.ts';
import { awsForm, awsJson, awsPolicies, awsSignature } from './aws.ts';
import { configuration } from './configuration.ts';
import { kafkaRecords } from './kafka-records.ts';
import { kafkaRequest } from './kafka-request.ts';
import { logRecovery } from './log-recovery.ts';
import { natsApi } from './nats-api.ts';
import { natsParser } from './nats-parser.ts';
import { snsOperations } from './sns-operations.ts';
import { subjects } from './subjects.ts';

/** One per reader of bytes from outside. */
export const targets: readonly Target[] = [
  natsParser,
  natsApi,
  amqpFrames,
  amqpSession,
  awsJson,
  awsForm,
  awsSignature,
  awsPolicies,
  snsOperations,
  kafkaRequest,
  kafkaRecords,
  logRecovery,
  configuration,
  subjects,
];
