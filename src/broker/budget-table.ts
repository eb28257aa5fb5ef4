export type BudgetName =
  | 'topics'
  | 'partitions'
  | 'groups'
  | 'positions'
  | 'consumers'
  | 'members'
  | 'waitingFetches'
  | 'subscriptions'
  | 'keys'
  | 'dedupeIds'
  | 'producers'
  | 'delayed'
  | 'expiring'
  | 'schedules'
  | 'prioritized'
  | 'uniqueKeys'
  | 'ordered'
  | 'waitingPublishes'
  | 'transactionalIds'
  | 'openTransactions'
  | 'attributes';

/** The share of the broker's memory that one kind of object may take. */
export interface Budget {
  /** The kind, as it reads after "the limit of 1000". */
  readonly what: string;
  /** The setting that sets the limit; doubles as flag, variable and file key. */
  readonly setting: string;
  /** The approximate memory of one object, including the objects that belong to it. */
  readonly bytesEach: number;
  /**
   * The default share of the available memory for all objects of the kind. The sum of all shares is above 1;
   * the memory watermark covers combinations.
   */
  readonly share: number;
  readonly help: string;
  /** What the user can do to make room. */
  readonly advice: string;
}

/**
 * The one table of everything that grows on clients' demand. The settings, `doctor`, the admin API, the
 * metrics and docs/limits.md follow it.
 *
 * An object is charged where it is created and released where it goes away. Objects that are read back at the
 * start are charged, and never refused.
 */
export const budgetTable: { readonly [K in BudgetName]: Budget } = {
  topics: {
    what: 'topics',
    setting: 'topics-max',
    bytesEach: 4096,
    share: 0.25,
    help: 'topics (streams) of the broker',
    advice: 'Delete topics',
  },
  partitions: {
    what: 'partitions',
    setting: 'partitions-max',
    bytesEach: 3072,
    share: 0.25,
    help: 'partitions of all topics together',
    advice: 'Delete topics',
  },
  groups: {
    what: 'groups',
    setting: 'groups-max',
    bytesEach: 6144,
    share: 0.25,
    help: 'groups (JetStream consumers, Kafka groups per topic) of all topics together',
    advice: 'Delete groups',
  },
  positions: {
    what: 'positions of groups',
    setting: 'positions-max',
    bytesEach: 1920,
    share: 0.25,
    help: 'positions of groups: one per group and partition of its topic',
    advice: 'Delete groups',
  },
  consumers: {
    what: 'consumers',
    setting: 'consumers-max',
    bytesEach: 2048,
    share: 0.15,
    help: 'consumers of all groups: waiting pull requests, push subscriptions, share sessions, handlers, members',
    advice: 'End consumers',
  },
  members: {
    what: 'members of Kafka groups',
    setting: 'members-max',
    bytesEach: 4096,
    share: 0.15,
    help: 'members of all Kafka groups together; each 4 KiB of their metadata count as one more',
    advice: 'End members',
  },
  waitingFetches: {
    what: 'partitions of waiting fetches',
    setting: 'waiting-fetches-max',
    bytesEach: 256,
    share: 0.1,
    help: 'partitions that waiting Kafka fetches watch, all together',
    advice: 'Let clients fetch fewer partitions at once',
  },
  subscriptions: {
    what: 'live subscriptions',
    setting: 'subscriptions-max',
    bytesEach: 640,
    share: 0.3,
    help: 'live subscriptions of all NATS connections together',
    advice: 'End subscriptions',
  },
  keys: {
    what: 'distinct keys',
    setting: 'keys-max',
    bytesEach: 256,
    share: 0.3,
    help: 'distinct keys (subjects) of topics that keep state by key, all together',
    advice: 'Delete or purge topics that keep state by key',
  },
  dedupeIds: {
    what: 'dedupe ids',
    setting: 'dedupe-ids-max',
    bytesEach: 256,
    share: 0.15,
    help: 'dedupe ids inside the windows of all topics together',
    advice: 'Shorten dedupe windows',
  },
  producers: {
    what: 'idempotent producers',
    setting: 'producers-max',
    bytesEach: 640,
    share: 0.1,
    help: 'idempotent producers that partitions remember, all together',
    advice: 'Wait until idle ones are forgotten (a day)',
  },
  delayed: {
    what: 'delayed messages',
    setting: 'delayed-max',
    bytesEach: 40,
    share: 0.1,
    help: 'messages that wait for their time',
    advice: 'Wait until some are due',
  },
  expiring: {
    what: 'messages with a time to live',
    setting: 'expiring-max',
    bytesEach: 40,
    share: 0.1,
    help: 'messages that were published with a time to live, all together',
    advice: 'Wait until some expire, or use the age limit of a topic',
  },
  schedules: {
    what: 'schedules',
    setting: 'schedules-max',
    bytesEach: 4096,
    share: 0.1,
    help: 'schedules, ended ones included; each 2 KiB of their messages count as one more',
    advice: 'Delete schedules',
  },
  prioritized: {
    what: 'messages with a priority',
    setting: 'prioritized-max',
    bytesEach: 8,
    share: 0.1,
    help: 'messages with a priority above 0 of all topics together',
    advice: 'Consume messages with a priority, or publish with priority 0',
  },
  uniqueKeys: {
    what: 'unique keys',
    setting: 'unique-keys-max',
    bytesEach: 384,
    share: 0.15,
    help: 'unique keys of messages that wait in their topics, all together',
    advice: 'Wait until some of their messages are delivered',
  },
  ordered: {
    what: 'ordered messages under way',
    setting: 'ordered-max',
    bytesEach: 480,
    share: 0.1,
    help: 'messages in flight or held behind their key in groups that order by key, all together',
    advice: 'Acknowledge messages',
  },
  waitingPublishes: {
    what: 'waiting publishes',
    setting: 'waiting-publishes-max',
    bytesEach: 4096,
    share: 0.1,
    help: 'publishes that wait for room in their topics, all together',
    advice: 'Consume from topics that are full',
  },
  transactionalIds: {
    what: 'transactional ids',
    setting: 'transactional-ids-max',
    bytesEach: 1024,
    share: 0.1,
    help: 'transactional ids that are known at once',
    advice: 'Wait until idle ones are forgotten (a week)',
  },
  openTransactions: {
    what: 'open transactions',
    setting: 'open-transactions-max',
    bytesEach: 4096,
    share: 0.05,
    help: 'transactions that are open at once',
    advice: 'End transactions',
  },
  attributes: {
    what: 'attributes of protocols',
    setting: 'attributes-max',
    bytesEach: 1024,
    share: 0.05,
    help: 'facts that protocols remember on their own: configs of Kafka groups, ACLs, users, quotas, exchanges and bindings of AMQP, topics and subscriptions of SNS; each KiB counts as one',
    advice: 'Remove configs or ACLs',
  },
};

export const budgetNames: readonly BudgetName[] = Object.keys(budgetTable) as BudgetName[];
