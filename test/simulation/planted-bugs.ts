import { amqpPlantedBugs } from './amqp-planted-bugs.ts';
import { sqsPlantedBugs } from './sqs-planted-bugs.ts';
import { clockPlantedBugs } from './clock-planted-bugs.ts';
import { deliveryPlantedBugs } from './delivery-planted-bugs.ts';
import { foundPlantedBugs } from './found-planted-bugs.ts';
import { kafkaPlantedBugs } from './kafka-planted-bugs.ts';
import { logPlantedBugs } from './log-planted-bugs.ts';
import { precedencePlantedBugs } from './precedence-planted-bugs.ts';
import { publishingPlantedBugs } from './publishing-planted-bugs.ts';
import { removalPlantedBugs } from './removal-planted-bugs.ts';
import { schedulePlantedBugs } from './schedule-planted-bugs.ts';
import { throttlePlantedBugs } from './throttle-planted-bugs.ts';
import { uniquePlantedBugs } from './unique-planted-bugs.ts';
import type { PlantedBug } from './planted-bug.ts';

/** All planted bugs. The suite must catch every one: a suite that lets them pass tests nothing. */
export const plantedBugs: readonly PlantedBug[] = [
  ...logPlantedBugs,
  ...publishingPlantedBugs,
  ...deliveryPlantedBugs,
  ...throttlePlantedBugs,
  ...removalPlantedBugs,
  ...foundPlantedBugs,
  ...precedencePlantedBugs,
  ...kafkaPlantedBugs,
  ...uniquePlantedBugs,
  ...schedulePlantedBugs,
  ...clockPlantedBugs,
  ...amqpPlantedBugs,
  ...sqsPlantedBugs,
];
