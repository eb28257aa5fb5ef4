import { test } from 'node:test';
import { describeDelivery } from './delivery.ts';
import { kafkaDriver, kafkaDriverSkip } from './drivers/kafka.ts';

if (kafkaDriverSkip === false) describeDelivery(kafkaDriver);
else test('delivery over Kafka', { skip: kafkaDriverSkip }, () => {});
