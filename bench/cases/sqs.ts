import type { Case } from './case.ts';
import { sqsInFlightCase, sqsPollsCase } from './sqs-idle.ts';
import { sqsFifoCase, sqsReceiveCase } from './sqs-receive.ts';
import { sqsSdkCase, sqsSendCase } from './sqs-send.ts';

export const sqsCases: readonly Case[] = [
  sqsSendCase,
  sqsReceiveCase,
  sqsSdkCase,
  sqsFifoCase,
  sqsPollsCase,
  sqsInFlightCase,
];
