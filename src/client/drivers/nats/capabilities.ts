import type { Capabilities } from '../../features.ts';

/** JetStream of nats-server. */
export const natsCapabilities: Capabilities = {
  survivesRestart: 'target',
  sharedByProcesses: 'target',
  groupSettings: 'target',
  history: 'target',
  log: 'target',
  fanOut: 'target',
  order: 'target',
  keys: 'target',
  keyOrdering: 'none',
  filters: 'target',
  starts: 'target',
  dedupe: 'target',
  batches: 'none',
  delays: 'none',
  ttl: 'target',
  priorities: 'none',
  inFlightLimit: 'target',
  retryDelays: 'target',
  freeRelease: 'none',
  extend: 'target',
  // It tells of them in advisories, without their content.
  deadLetters: 'client',
  browseDeadLetters: 'target',
  redrive: 'client',
  topicLimits: 'target',
  lag: 'target',
};

/** A Pillarbox server, by JetStream and its extensions. */
export const pillarboxCapabilities: Capabilities = {
  ...natsCapabilities,
  keyOrdering: 'target',
  delays: 'target',
  priorities: 'target',
  freeRelease: 'target',
  deadLetters: 'target',
};
