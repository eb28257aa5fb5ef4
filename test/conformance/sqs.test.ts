import { test } from 'node:test';
import { describeDelivery } from './delivery.ts';
import { sqsDriver, sqsDriverSkip } from './drivers/sqs.ts';

if (sqsDriverSkip === false) describeDelivery(sqsDriver);
else test('delivery over SQS', { skip: sqsDriverSkip }, () => {});
