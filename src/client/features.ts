/**
 * A feature is something that a program may ask of a target, and that not every target has. The text says
 * what it is, worded to follow "cannot".
 */
export const features = {
  survivesRestart: 'keep messages over a restart',
  sharedByProcesses: 'share a group among several processes',
  groupSettings: 'keep the settings of a group for programs that give none',
  history: "give a new group the messages that were published before it (start: 'all')",
  log: "keep messages after their groups are done with them (retention: 'limits')",
  fanOut: 'give several groups of a topic all of its messages',
  order: 'deliver the messages of a topic in the order of their publishes',
  keys: 'keep the key of a message',
  keyOrdering: "deliver the messages of a key one at a time, in order (ordering: 'key')",
  filters: 'give a group only the messages whose keys match (filter)',
  starts: "start a new group at the next message (start: 'new')",
  dedupe: 'store a message once that is published twice with one dedupeId',
  batches: 'store a batch as a whole or not at all',
  delays: 'hold a message back until it is due (delayMs, deliverAtMs)',
  ttl: 'let a message expire (ttlMs)',
  priorities: 'deliver messages of a higher priority first (priority)',
  inFlightLimit: 'bound the deliveries in flight over all consumers (maxInFlight)',
  retryDelays: 'wait before a redelivery (backoffMs, RetryError)',
  freeRelease: 'take a message back at a shutdown without counting a delivery',
  extend: 'give a handler more time while it runs (heartbeats)',
  deadLetters: 'keep the messages that a group gives up, with cause and origin',
  browseDeadLetters: 'read dead letters and leave them where they are',
  redrive: 'put dead letters back into their topic',
  topicLimits: 'limit a topic by messages, bytes or age',
  lag: "tell a group's lag",
} as const;

export type Feature = keyof typeof features;

/**
 * Who does it: the target, as one step that a crash cannot split; the client, with several steps, each of
 * which may be done twice after a crash; or no one, and then asking for it is refused.
 */
export type Support = 'target' | 'client' | 'none';

/** The capabilities of a target: who does what. */
export type Capabilities = { readonly [F in Feature]: Support };
