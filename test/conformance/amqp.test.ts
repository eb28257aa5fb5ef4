import { test } from 'node:test';
import { describeDelivery } from './delivery.ts';
import { amqpDriver, amqpDriverSkip } from './drivers/amqp.ts';

if (amqpDriverSkip === false) describeDelivery(amqpDriver);
else test('delivery over AMQP', { skip: amqpDriverSkip }, () => {});
