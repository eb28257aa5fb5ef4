import type { Capabilities } from '../../features.ts';

/** AMQP 0-9-1: RabbitMQ, or a Pillarbox server. */
export const amqpCapabilities: Capabilities = {
  survivesRestart: 'target',
  sharedByProcesses: 'target',
  groupSettings: 'none',
  history: 'none',
  log: 'none',
  fanOut: 'target',
  order: 'target',
  keys: 'client',
  keyOrdering: 'none',
  filters: 'none',
  starts: 'target',
  dedupe: 'none',
  batches: 'none',
  delays: 'none',
  ttl: 'target',
  priorities: 'none',
  inFlightLimit: 'none',
  retryDelays: 'client',
  freeRelease: 'none',
  // A delivery is its consumer's for as long as the connection lives.
  extend: 'target',
  deadLetters: 'client',
  browseDeadLetters: 'client',
  redrive: 'client',
  topicLimits: 'none',
  lag: 'none',
};
