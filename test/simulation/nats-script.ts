import type { GroupOptions, TopicOptions } from '../../src/broker/index.ts';
import type { Action, Operation, PlannedMessage, Script } from './script.ts';

/**
 * The same script for clients that speak NATS: topics are streams of one partition, and keys are subjects
 * below the stream's name.
 */
export function overNats(script: Script): Script {
  return { ...script, door: 'nats', operations: script.operations.map(natsOperation) };
}

function natsOperation(operation: Operation): Operation {
  const { turn, steps, sync } = operation;
  return { ...natsAction(operation), turn, steps, ...(sync === undefined ? {} : { sync }) };
}

function natsAction(action: Action): Action {
  switch (action.kind) {
    case 'create-topic':
      return { kind: action.kind, options: natsTopic(action.options) };
    case 'update-topic': {
      const { partitions: _, ...change } = action.change;
      return { kind: action.kind, topic: action.topic, change };
    }
    case 'create-group':
      return { kind: action.kind, topic: action.topic, options: natsGroup(action.topic, action.options) };
    case 'update-group':
      return { ...action, change: natsFilters(action.topic, action.change) };
    case 'publish':
      return { ...action, messages: action.messages.map((plan) => natsMessage(action.topic, plan)) };
    case 'purge': {
      const { pattern, ...purge } = action;
      return { ...purge, ...(pattern === undefined ? {} : { pattern: `${action.topic}.${pattern}` }) };
    }
    default:
      return action;
  }
}

function natsTopic(options: TopicOptions): TopicOptions {
  return { ...options, partitions: 1, subjects: [`${options.name}.>`] };
}

/** A pull consumer has to ack. */
function natsGroup(topic: string, options: GroupOptions): GroupOptions {
  return {
    ...natsFilters(topic, options),
    ack: options.ack === 'none' ? 'explicit' : (options.ack ?? 'explicit'),
  };
}

function natsFilters<T extends Partial<GroupOptions>>(topic: string, options: T): T {
  if (!options.filters) return options;
  return { ...options, filters: options.filters.map((filter) => `${topic}.${filter}`) };
}

function natsMessage(topic: string, plan: PlannedMessage): PlannedMessage {
  const { id, key, bytes, dedupeId, expect } = plan;
  return {
    id,
    key: `${topic}.${key ?? 'none'}`,
    bytes,
    isBare: true,
    ...(dedupeId === undefined ? {} : { dedupeId }),
    ...(expect === undefined ? {} : { expect }),
  };
}
