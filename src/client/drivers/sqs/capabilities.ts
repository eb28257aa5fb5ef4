import type { Capabilities } from '../../features.ts';

/** Standard queues of SQS, or of what speaks like it. */
export const sqsCapabilities: Capabilities = {
  survivesRestart: 'target',
  sharedByProcesses: 'target',
  groupSettings: 'target',
  history: 'target',
  log: 'none',
  fanOut: 'none',
  order: 'none',
  keys: 'client',
  keyOrdering: 'none',
  filters: 'none',
  starts: 'none',
  dedupe: 'none',
  batches: 'none',
  // 15 minutes at most, in whole seconds.
  delays: 'target',
  ttl: 'none',
  priorities: 'none',
  inFlightLimit: 'none',
  retryDelays: 'target',
  freeRelease: 'none',
  extend: 'target',
  deadLetters: 'client',
  browseDeadLetters: 'client',
  redrive: 'client',
  topicLimits: 'none',
  lag: 'none',
};
