import type { Capabilities, Feature } from '../features.ts';
import { amqpCapabilities } from './amqp/capabilities.ts';
import { fileCapabilities, memoryCapabilities } from './embedded/capabilities.ts';
import { natsCapabilities, pillarboxCapabilities } from './nats/capabilities.ts';
import { sqsCapabilities } from './sqs/capabilities.ts';

/**
 * The targets, by the beginning of their URLs, with their capabilities. The table in docs/client.md is made
 * of it, and errors name targets by it.
 */
export const targets: { readonly [target: string]: Capabilities } = {
  'memory:': memoryCapabilities,
  'file:': fileCapabilities,
  'pillarbox://': pillarboxCapabilities,
  'nats://': natsCapabilities,
  'amqp://': amqpCapabilities,
  'sqs://': sqsCapabilities,
};

/** The targets that have a feature. */
export function targetsWith(feature: Feature): string[] {
  const having = Object.entries(targets).filter(([, able]) => able[feature] !== 'none');
  return having.map(([name]) => name);
}
