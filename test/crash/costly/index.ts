import { amqpAdminInputs } from './amqp-admin-inputs.ts';
import { amqpInputs } from './amqp-inputs.ts';
import type { CostlyInput } from './input.ts';
import { kafkaInputs } from './kafka-inputs.ts';
import { natsInputs } from './nats-inputs.ts';

/** Every input that a few bytes of it have cost too much once, and its kin. */
export const costlyInputs: readonly CostlyInput[] = [
  ...kafkaInputs,
  ...natsInputs,
  ...amqpInputs,
  ...amqpAdminInputs,
];
