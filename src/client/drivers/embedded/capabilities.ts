import type { Capabilities } from '../../features.ts';

/** A broker in this process that keeps its data in a directory. */
export const fileCapabilities: Capabilities = {
  survivesRestart: 'target',
  sharedByProcesses: 'none',
  groupSettings: 'target',
  history: 'target',
  log: 'target',
  fanOut: 'target',
  order: 'target',
  keys: 'target',
  keyOrdering: 'target',
  filters: 'target',
  starts: 'target',
  dedupe: 'target',
  batches: 'target',
  delays: 'target',
  ttl: 'target',
  priorities: 'target',
  inFlightLimit: 'target',
  retryDelays: 'target',
  freeRelease: 'target',
  extend: 'target',
  deadLetters: 'target',
  browseDeadLetters: 'target',
  redrive: 'target',
  topicLimits: 'target',
  lag: 'target',
};

export const memoryCapabilities: Capabilities = { ...fileCapabilities, survivesRestart: 'none' };
