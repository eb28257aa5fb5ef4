/**
 * One step of a client, and the parts of the answer that are compared. Steps are played in order, on one
 * server after the other.
 */
export type Step = AskStep | PublishStep | PullStep;

interface Compared {
  /** Why the answers differ: they are not compared. */
  readonly differs?: string;
}

/** A request under `$JS.API.` */
export interface AskStep extends Compared {
  readonly ask: string;
  readonly body?: object;
  /** A body that is no JSON. */
  readonly raw?: string;
  readonly headers?: Headers;
}

/** A publish with a reply: the PubAck. */
export interface PublishStep extends Compared {
  readonly publish: string;
  readonly text?: string;
  readonly headers?: Headers;
}

/** A pull: everything that comes until a status ends it, or until there are `count` messages. */
export interface PullStep extends Compared {
  /** `<stream>.<consumer>` */
  readonly pull: string;
  readonly body?: object | string;
  readonly count?: number;
  /** The ack of each message, with a reply. */
  readonly ack?: string;
}

type Headers = Readonly<Record<string, string>>;

const second = 1e9;

const accounts: readonly Step[] = [
  { ask: 'INFO' },
  { ask: 'INFO', raw: '{}' },
  { ask: 'INFO', headers: { 'Nats-Required-Api-Level': '99' } },
  { ask: 'INFO', headers: { 'Nats-Required-Api-Level': 'x' } },
  { ask: 'INFO', headers: { 'Nats-Required-Api-Level': '1' } },
];

const streamCreates: readonly Step[] = [
  { ask: 'STREAM.NAMES' },
  { ask: 'STREAM.LIST' },
  { ask: 'STREAM.CREATE.a', body: { name: 'a', subjects: ['a.>'] } },
  { ask: 'STREAM.CREATE.a', body: { name: 'a', subjects: ['a.>'] } },
  { ask: 'STREAM.CREATE.a', body: { name: 'a', subjects: ['a.*'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['a.b'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'c' } },
  { ask: 'STREAM.CREATE.b' },
  { ask: 'STREAM.CREATE.b', raw: 'x' },
  { ask: 'STREAM.CREATE.b', raw: '[]' },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', nonsense: 1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', retention: 'none' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', sealed: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', mirror_direct: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', num_replicas: 3 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', num_replicas: 6 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', num_replicas: -1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_age: -1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_age: 1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', duplicate_window: -1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', duplicate_window: 1 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_age: second, duplicate_window: 2 * second } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', deny_purge: true, allow_rollup_hdrs: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', discard_new_per_subject: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', discard: 'new', discard_new_per_subject: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['b..c'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['b', 'b'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['b.*', 'b.c'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['>'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['$JS.API.>'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subjects: ['$SYS.>'] } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', storage: 'memory', persist_mode: 'async' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', description: 'x'.repeat(5000) } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', placement: { preferred: 'x' } } },
  { ask: `STREAM.CREATE.${'n'.repeat(256)}`, body: { name: 'n'.repeat(256) } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_msgs: -5, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_bytes: -5, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_msg_size: -5, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_msgs_per_subject: -5, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_consumers: -5, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', max_age: 60 * second, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_schedules: true, pedantic: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_counter: true, discard: 'new' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_counter: true, allow_msg_ttl: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_counter: true, allow_msg_schedules: true } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_counter: true, retention: 'workqueue' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_msg_schedules: true, discard: 'new' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subject_delete_marker_ttl: second / 2 } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subject_delete_marker_ttl: -second } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', subject_delete_marker_ttl: second, pedantic: true } },
  {
    ask: 'STREAM.CREATE.b',
    body: { name: 'b', subject_delete_marker_ttl: second, allow_msg_ttl: true, pedantic: true },
  },
  {
    ask: 'STREAM.CREATE.b',
    body: { name: 'b', subject_delete_marker_ttl: second, deny_purge: true, allow_rollup_hdrs: true },
  },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_atomic: true, persist_mode: 'async' } },
  { ask: 'STREAM.CREATE.b', body: { name: 'b', allow_rollup_hdrs: true, max_consumers: 3, placement: {} } },
  {
    ask: 'STREAM.CREATE.m',
    body: { name: 'm', storage: 'memory', description: 'mine', metadata: { k: 'v' } },
  },
  {
    ask: 'STREAM.CREATE.full',
    body: {
      name: 'full',
      max_msgs: 10,
      max_bytes: 1000000,
      max_age: 3600 * second,
      max_msgs_per_subject: 5,
      max_msg_size: 1000,
      discard: 'new',
      discard_new_per_subject: true,
      compression: 's2',
      allow_direct: true,
      deny_delete: true,
      duplicate_window: 60 * second,
      consumer_limits: { inactive_threshold: 60 * second, max_ack_pending: 100 },
      metadata: { '_nats.ver': 'x', '_nats.req.level': '7', own: 'y' },
    },
  },
];

const levels: readonly Step[] = [
  { ask: 'STREAM.CREATE.ttl', body: { name: 'ttl', allow_msg_ttl: true } },
  { ask: 'STREAM.CREATE.marked', body: { name: 'marked', subject_delete_marker_ttl: 90 * second } },
  { ask: 'STREAM.UPDATE.marked', body: { name: 'marked', allow_msg_ttl: true } },
  { publish: 'ttl', headers: { 'Nats-TTL': 'x' } },
  { publish: 'ttl', headers: { 'Nats-TTL': '1h' } },
  { ask: 'STREAM.CREATE.atomic', body: { name: 'atomic', allow_atomic: true } },
  { ask: 'STREAM.CREATE.batched', body: { name: 'batched', allow_batched: true } },
  { ask: 'STREAM.CREATE.schedules', body: { name: 'schedules', allow_msg_schedules: true } },
  { ask: 'STREAM.CREATE.counter', body: { name: 'counter', allow_msg_counter: true } },
  { ask: 'STREAM.CREATE.async', body: { name: 'async', persist_mode: 'async' } },
  { ask: 'STREAM.UPDATE.ttl', body: { name: 'ttl' } },
  { ask: 'STREAM.UPDATE.schedules', body: { name: 'schedules' } },
  { ask: 'STREAM.UPDATE.counter', body: { name: 'counter' } },
  { ask: 'STREAM.UPDATE.async', body: { name: 'async' } },
  { ask: 'STREAM.UPDATE.atomic', body: { name: 'atomic' } },
  { publish: 'a.ttl', headers: { 'Nats-TTL': '1s' } },
  { publish: 'a.incr', headers: { 'Nats-Incr': '1' } },
  { publish: 'a.incr', headers: { 'Nats-Incr': 'x' } },
  { publish: 'a.batch', headers: { 'Nats-Batch-Id': 'one', 'Nats-Batch-Sequence': '1' } },
  { publish: 'a.schedule', headers: { 'Nats-Schedule': '@at 2030-01-01T00:00:00Z' } },
  { publish: 'a.schedule', headers: { 'Nats-Schedule': 'nonsense' } },
  { publish: 'a.level', headers: { 'Nats-Required-Api-Level': '99' } },
  { publish: 'a.source', headers: { 'Nats-Stream-Source': 'x' } },
  { publish: 'a.scheduler', headers: { 'Nats-Scheduler': 'x' } },
  { publish: 'counter', text: 'x' },
];

const publishes: readonly Step[] = [
  { publish: 'a.1', text: 'one' },
  { publish: 'a.2', text: 'two', headers: { 'Nats-Msg-Id': 'id' } },
  { publish: 'a.2', text: 'two', headers: { 'Nats-Msg-Id': 'id' } },
  { publish: 'a.3', headers: { 'Nats-Expected-Stream': 'other' } },
  { publish: 'a.3', headers: { 'Nats-Expected-Last-Sequence': '77' } },
  { publish: 'a.3', headers: { 'Nats-Expected-Last-Sequence': 'x' } },
  { publish: 'a.3', headers: { 'Nats-Expected-Last-Subject-Sequence': '5' } },
  { publish: 'a.3', headers: { 'Nats-Expected-Last-Subject-Sequence-Subject': 'a.1' } },
  {
    publish: 'a.3',
    headers: {
      'Nats-Expected-Last-Subject-Sequence': '1',
      'Nats-Expected-Last-Subject-Sequence-Subject': 'a.1',
    },
  },
  { publish: 'a.3', headers: { 'Nats-Expected-Last-Msg-Id': 'unknown' } },
  { publish: 'a.3', headers: { 'Nats-Rollup': 'sub' } },
  { publish: 'b', headers: { 'Nats-Rollup': 'nonsense' } },
  { publish: 'b', text: '1', headers: { 'Nats-Rollup': 'SUB' } },
  { publish: 'b', text: '2', headers: { 'Nats-Rollup': 'all' } },
  { publish: 'full', text: 'x'.repeat(1001) },
  { publish: 'full', text: '1' },
  { publish: 'full', text: '2' },
  { publish: 'full', text: '3' },
  { publish: 'full', text: '4' },
  { publish: 'full', text: '5' },
  { publish: 'full', text: '6' },
];

const messages: readonly Step[] = [
  { ask: 'STREAM.MSG.GET.a', body: { seq: 1 } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: 2, no_hdr: true } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: 100 } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: 0 } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: -1 } },
  { ask: 'STREAM.MSG.GET.a' },
  { ask: 'STREAM.MSG.GET.a', body: { last_by_subj: 'a.2' } },
  { ask: 'STREAM.MSG.GET.a', body: { last_by_subj: 'a.>' } },
  { ask: 'STREAM.MSG.GET.a', body: { last_by_subj: 'zzz' } },
  { ask: 'STREAM.MSG.GET.a', body: { next_by_subj: 'a.*' } },
  { ask: 'STREAM.MSG.GET.a', body: { next_by_subj: 'a.*', seq: 2 } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: 1, last_by_subj: 'a.1' } },
  { ask: 'STREAM.MSG.GET.a', body: { batch: 2, seq: 1 } },
  { ask: 'STREAM.MSG.GET.a', body: { start_time: '2020-01-01T00:00:00Z' } },
  { ask: 'STREAM.MSG.GET.a', body: { start_time: '2220-01-01T00:00:00Z' } },
  { ask: 'STREAM.MSG.GET.a', body: { start_time: 'yesterday' } },
  { ask: 'STREAM.MSG.GET.zzz', body: { seq: 1 } },
  { ask: 'STREAM.MSG.DELETE.a', body: { seq: 99 } },
  { ask: 'STREAM.MSG.DELETE.a', body: { seq: 0 } },
  { ask: 'STREAM.MSG.DELETE.a' },
  { ask: 'STREAM.MSG.DELETE.full', body: { seq: 1 } },
  { ask: 'STREAM.MSG.DELETE.zzz', body: { seq: 1 } },
  { ask: 'STREAM.MSG.DELETE.a', body: { seq: 1 } },
  { ask: 'STREAM.MSG.DELETE.a', body: { seq: 1 } },
  { ask: 'STREAM.MSG.GET.a', body: { seq: 1 } },
];

const streamReads: readonly Step[] = [
  { ask: 'STREAM.INFO.a' },
  { ask: 'STREAM.INFO.a', body: { deleted_details: true, subjects_filter: '>' } },
  { ask: 'STREAM.INFO.a', body: { subjects_filter: 'a.2' } },
  { ask: 'STREAM.INFO.a', body: { subjects_filter: 'zzz' } },
  { ask: 'STREAM.INFO.a', body: { offset: 1, subjects_filter: '>' } },
  { ask: 'STREAM.INFO.a', body: { nonsense: true } },
  { ask: 'STREAM.INFO.a', raw: 'x' },
  { ask: 'STREAM.INFO.zzz' },
  { ask: 'STREAM.NAMES', body: { subject: 'a.1' } },
  { ask: 'STREAM.NAMES', body: { subject: '*.1' } },
  { ask: 'STREAM.NAMES', body: { subject: 'zzz' } },
  { ask: 'STREAM.NAMES', body: { offset: 3 } },
  { ask: 'STREAM.NAMES', body: { offset: 300 } },
  { ask: 'STREAM.LIST', body: { subject: 'a.1' } },
  { ask: 'STREAM.LIST', body: { offset: 300 } },
  { ask: 'STREAM.NAMES', raw: 'x' },
];

const streamUpdates: readonly Step[] = [
  { ask: 'STREAM.UPDATE.zzz', body: { name: 'zzz' } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'zzz' } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'a', storage: 'memory', subjects: ['a.>'] } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'a', retention: 'workqueue', subjects: ['a.>'] } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'a', num_replicas: 3, subjects: ['a.>'] } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'a', subjects: ['b'] } },
  { ask: 'STREAM.UPDATE.full', body: { name: 'full' } },
  { ask: 'STREAM.UPDATE.a', body: { name: 'a', subjects: ['a.>'], description: 'new', max_msgs: 100 } },
  { ask: 'STREAM.UPDATE.m', body: { name: 'm', storage: 'memory', max_bytes: 10 } },
];

const consumerCreates: readonly Step[] = [
  {
    ask: 'CONSUMER.CREATE.a.c',
    body: { stream_name: 'a', config: { durable_name: 'c', ack_policy: 'explicit' } },
  },
  {
    ask: 'CONSUMER.CREATE.a.c',
    body: { stream_name: 'a', config: { durable_name: 'c', ack_policy: 'explicit' } },
  },
  {
    ask: 'CONSUMER.CREATE.a.c',
    body: { stream_name: 'a', config: { durable_name: 'c', ack_policy: 'all' }, action: 'create' },
  },
  {
    ask: 'CONSUMER.CREATE.a.c',
    body: { stream_name: 'a', config: { durable_name: 'c', ack_policy: 'all' } },
  },
  {
    ask: 'CONSUMER.CREATE.a.zzz',
    body: { stream_name: 'a', config: { durable_name: 'zzz', ack_policy: 'all' }, action: 'update' },
  },
  { ask: 'CONSUMER.CREATE.zzz.c', body: { stream_name: 'zzz', config: { durable_name: 'c' } } },
  { ask: 'CONSUMER.CREATE.a.c', body: { stream_name: 'b', config: { durable_name: 'c' } } },
  { ask: 'CONSUMER.CREATE.a.d', body: { stream_name: 'a', config: { durable_name: 'c' } } },
  { ask: 'CONSUMER.CREATE.a', body: { stream_name: 'a', config: { durable_name: 'c' } } },
  { ask: 'CONSUMER.DURABLE.CREATE.a.d', body: { stream_name: 'a', config: {} } },
  { ask: 'CONSUMER.DURABLE.CREATE.a.d', body: { stream_name: 'a', config: { durable_name: 'e' } } },
  { ask: 'CONSUMER.DURABLE.CREATE.a.d', body: { stream_name: 'a', config: { durable_name: 'd' } } },
  {
    ask: 'CONSUMER.CREATE.a.f.a.1',
    body: { stream_name: 'a', config: { name: 'f', filter_subject: 'a.2' } },
  },
  {
    ask: 'CONSUMER.CREATE.a.f.a.1',
    body: { stream_name: 'a', config: { name: 'f', filter_subject: 'a.1' } },
  },
  {
    ask: 'CONSUMER.CREATE.a.g',
    body: { stream_name: 'a', config: { name: 'g', filter_subjects: ['a.1', 'a.*'] } },
  },
  { ask: 'CONSUMER.CREATE.a.g', body: { stream_name: 'a', config: { name: 'g', filter_subjects: [''] } } },
  { ask: 'CONSUMER.CREATE.a.g', body: { stream_name: 'a', config: { name: 'g', filter_subject: 'a..b' } } },
  {
    ask: 'CONSUMER.CREATE.a.g',
    body: { stream_name: 'a', config: { name: 'g', filter_subject: 'a.1', filter_subjects: ['a.2'] } },
  },
  { ask: 'CONSUMER.CREATE.a.g', body: { stream_name: 'a', config: { name: 'g', filter_subject: 'other' } } },
  ...(
    [
      { deliver_policy: 'by_start_sequence' },
      { deliver_policy: 'by_start_time' },
      { deliver_policy: 'last_per_subject' },
      { opt_start_seq: 3 },
      { opt_start_time: '2020-01-01T00:00:00Z' },
      { deliver_policy: 'by_start_sequence', opt_start_seq: 3, opt_start_time: '2020-01-01T00:00:00Z' },
      { ack_wait: -1 },
      { backoff: [-1] },
      { backoff: [1, 2], max_deliver: 1 },
      { deliver_subject: 'x.*' },
      { deliver_subject: 'x..y' },
      { deliver_subject: 'a.5' },
      { deliver_subject: 'x', max_waiting: 5 },
      { deliver_subject: 'x', max_ack_pending: 5 },
      { deliver_subject: 'x', idle_heartbeat: 5 },
      { deliver_subject: 'x', flow_control: true },
      { deliver_subject: '$JS.API.INFO' },
      { deliver_subject: '$SYS.x' },
      { rate_limit_bps: 5 },
      { idle_heartbeat: second },
      { flow_control: true },
      { max_expires: 5 },
      { direct: true },
      { sample_freq: 'x', differs: 'the words are those of a parser' },
      { sample_freq: '-5', differs: 'the words are those of a parser' },
      { num_replicas: 3 },
      { num_replicas: -3 },
      { description: 'x'.repeat(5000) },
      { priority_groups: ['x'] },
      { priority_policy: 'overflow' },
      { priority_timeout: 5 },
      { priority_policy: 'none', priority_groups: ['x'] },
      { priority_policy: 'overflow', priority_groups: ['x'] },
      { priority_policy: 'overflow', priority_groups: ['x', 'y'], priority_timeout: 5 * second },
      { priority_policy: 'prioritized', priority_groups: ['x'], ack_policy: 'explicit' },
      { priority_policy: 'pinned_client', priority_groups: ['x'], ack_policy: 'explicit' },
      { priority_policy: 'pinned_client', priority_groups: ['x'], priority_timeout: 3 * second },
      { priority_policy: 'pinned_client', priority_groups: ['x'], priority_timeout: -3 },
      { priority_policy: 'pinned_client', priority_groups: ['x'], priority_timeout: -3, pedantic: true },
      { priority_policy: 'pinned_client', priority_groups: [] },
      { priority_policy: 'pinned_client', priority_groups: [''] },
      { priority_policy: 'pinned_client', priority_groups: ['a b'] },
      { priority_policy: 'pinned_client', priority_groups: ['a-Z_0/='] },
      { priority_policy: 'pinned_client', priority_groups: ['x'.repeat(17)] },
      { priority_policy: 'overflow', priority_groups: ['x'], deliver_subject: 'to.x' },
      { priority_policy: 'overflow', deliver_subject: 'to.x' },
      { max_deliver: -5, pedantic: true },
      { max_waiting: -5, pedantic: true },
      { max_ack_pending: -5, pedantic: true },
      { max_batch: -5, pedantic: true },
      { max_expires: -5, pedantic: true },
      { max_bytes: -5, pedantic: true },
      { idle_heartbeat: -5, pedantic: true },
      { inactive_threshold: -5, pedantic: true },
      { backoff: [5 * second], pedantic: true },
      { name: 'other' },
      { nonsense: 1 },
      { ack_policy: 'sometimes' },
      { max_deliver: -5, max_waiting: -5, max_ack_pending: -5, max_batch: -5, max_bytes: -5 },
      { pause_until: '2220-01-01T00:00:00Z', metadata: { own: 'x' } },
    ] as { readonly pedantic?: boolean; readonly differs?: string; readonly [member: string]: unknown }[]
  ).map(({ pedantic, differs, ...config }, index) => ({
    ask: `CONSUMER.CREATE.a.n${index}`,
    body: { stream_name: 'a', config: { name: `n${index}`, ...config }, ...(pedantic && { pedantic }) },
    ...(differs && { differs }),
  })),
  {
    ask: 'CONSUMER.CREATE.full.l',
    body: { stream_name: 'full', config: { name: 'l', ack_policy: 'explicit', max_ack_pending: 101 } },
  },
  {
    ask: 'CONSUMER.CREATE.full.l',
    body: {
      stream_name: 'full',
      config: { name: 'l', ack_policy: 'explicit', inactive_threshold: 61 * second },
    },
  },
  {
    ask: 'CONSUMER.CREATE.full.l',
    body: { stream_name: 'full', config: { name: 'l', ack_policy: 'explicit' }, pedantic: true },
  },
  {
    ask: 'CONSUMER.CREATE.full.l',
    body: { stream_name: 'full', config: { durable_name: 'l', ack_policy: 'explicit' } },
  },
  {
    ask: 'STREAM.UPDATE.full',
    body: {
      name: 'full',
      max_msgs_per_subject: 5,
      discard: 'new',
      deny_delete: true,
      consumer_limits: { max_ack_pending: 99 },
    },
  },
  {
    ask: 'STREAM.UPDATE.full',
    body: {
      name: 'full',
      max_msgs_per_subject: 5,
      discard: 'new',
      deny_delete: true,
      consumer_limits: { inactive_threshold: 30 * second, max_ack_pending: 100 },
    },
  },
];

const workQueue: readonly Step[] = [
  { ask: 'STREAM.CREATE.w', body: { name: 'w', subjects: ['w.>'], retention: 'workqueue' } },
  { ask: 'CONSUMER.CREATE.w.c', body: { stream_name: 'w', config: { name: 'c' } } },
  { ask: 'CONSUMER.CREATE.w.c', body: { stream_name: 'w', config: { name: 'c', ack_policy: 'all' } } },
  {
    ask: 'CONSUMER.CREATE.w.c',
    body: { stream_name: 'w', config: { name: 'c', ack_policy: 'explicit', deliver_policy: 'new' } },
  },
  {
    ask: 'CONSUMER.CREATE.w.c',
    body: { stream_name: 'w', config: { name: 'c', ack_policy: 'explicit', filter_subject: 'w.1' } },
  },
  { ask: 'CONSUMER.CREATE.w.d', body: { stream_name: 'w', config: { name: 'd', ack_policy: 'explicit' } } },
  {
    ask: 'CONSUMER.CREATE.w.d',
    body: { stream_name: 'w', config: { name: 'd', ack_policy: 'explicit', filter_subject: 'w.*' } },
  },
];

const consumerReads: readonly Step[] = [
  { ask: 'CONSUMER.INFO.a.c' },
  { ask: 'CONSUMER.INFO.a.c', body: { x: 1 } },
  { ask: 'CONSUMER.INFO.a.zzz' },
  { ask: 'CONSUMER.INFO.zzz.c' },
  { ask: 'CONSUMER.NAMES.a' },
  { ask: 'CONSUMER.NAMES.zzz' },
  { ask: 'CONSUMER.NAMES.b' },
  { ask: 'CONSUMER.LIST.b' },
  { ask: 'CONSUMER.LIST.a', body: { offset: 100 } },
  { ask: 'CONSUMER.NAMES.a', body: { offset: 1 } },
  { ask: 'CONSUMER.PAUSE.a.d', body: { pause_until: '2220-01-01T00:00:00Z' } },
  { ask: 'CONSUMER.PAUSE.a.d', body: { pause_until: '2020-01-01T00:00:00Z' } },
  { ask: 'CONSUMER.PAUSE.a.d' },
  { ask: 'CONSUMER.PAUSE.a.zzz', body: {} },
  { ask: 'CONSUMER.UNPIN.a.c', body: { group: 'x' } },
  { ask: 'CONSUMER.UNPIN.a.c' },
  { ask: 'CONSUMER.UNPIN.a.c', body: {} },
  { ask: 'CONSUMER.UNPIN.a.c', body: { group: 'a b' } },
  { ask: 'CONSUMER.UNPIN.a.zzz', body: { group: 'x' } },
  { ask: 'CONSUMER.UNPIN.zzz.c', body: { group: 'x' } },
  {
    ask: 'CONSUMER.CREATE.a.pinned',
    body: {
      stream_name: 'a',
      config: { name: 'pinned', priority_policy: 'pinned_client', priority_groups: ['x', 'y'] },
    },
  },
  { ask: 'CONSUMER.UNPIN.a.pinned', body: { group: 'z' } },
  { ask: 'CONSUMER.UNPIN.a.pinned', body: { group: 'y' } },
  {
    ask: 'CONSUMER.CREATE.a.pinned',
    body: {
      stream_name: 'a',
      config: { name: 'pinned', priority_policy: 'prioritized', priority_groups: ['y'] },
    },
  },
  { ask: 'CONSUMER.CREATE.a.pinned', body: { stream_name: 'a', config: { name: 'pinned' } } },
  { ask: 'CONSUMER.DELETE.a.pinned' },
];

const floor = 'nats-server moves the floor to the highest delivery that was purged, over one that is out';

const deliveries: readonly Step[] = [
  { ask: 'STREAM.CREATE.p', body: { name: 'p', subjects: ['p.>'] } },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ publish: `p.${n % 3}`, text: `message ${n}` })),
  {
    ask: 'CONSUMER.CREATE.p.all',
    body: { stream_name: 'p', config: { durable_name: 'all', ack_policy: 'explicit' } },
  },
  {
    ask: 'CONSUMER.CREATE.p.some',
    body: {
      stream_name: 'p',
      config: { durable_name: 'some', ack_policy: 'explicit', filter_subject: 'p.0' },
    },
  },
  { ask: 'CONSUMER.CREATE.p.none', body: { stream_name: 'p', config: { durable_name: 'none' } } },
  { pull: 'p.some', body: { batch: 1, no_wait: true }, count: 1 },
  { ask: 'CONSUMER.INFO.p.some' },
  { pull: 'p.some', body: { batch: 1, no_wait: true }, count: 1, ack: '+ACK' },
  { ask: 'CONSUMER.INFO.p.some' },
  { pull: 'p.some', body: { batch: 5, no_wait: true }, ack: '+ACK' },
  { ask: 'CONSUMER.INFO.p.some' },
  { pull: 'p.none', body: { batch: 2, no_wait: true }, count: 2, ack: '+ACK' },
  { ask: 'CONSUMER.INFO.p.none' },
  { pull: 'p.all', body: { batch: 3, no_wait: true }, count: 3, ack: '+ACK' },
  { ask: 'CONSUMER.INFO.p.all' },
  { pull: 'p.all', body: { batch: 2, no_wait: true }, count: 2 },
  { pull: 'p.all', body: { batch: 1, no_wait: true }, count: 1, ack: '+ACK' },
  { ask: 'CONSUMER.INFO.p.all' },
  { pull: 'p.all', body: { batch: 1, max_bytes: 10, expires: second } },
  { pull: 'p.all', body: '{"batch":-1}' },
  { pull: 'p.all', body: '{"expires":1000000000,"idle_heartbeat":1000000000}' },
  { pull: 'p.all', body: 'x' },
  { pull: 'p.all', body: '{"nonsense":1,"no_wait":true}' },
  { pull: 'p.all', body: { batch: 3, no_wait: true, group: 'x' } },
  { ask: 'CONSUMER.RESET.p.all', body: { seq: 2 } },
  { ask: 'CONSUMER.INFO.p.all' },
  { pull: 'p.all', body: { batch: 2, no_wait: true }, count: 2, ack: '+ACK' },
  { ask: 'CONSUMER.RESET.p.all' },
  { ask: 'CONSUMER.RESET.p.all', body: { seq: 100 } },
  { ask: 'CONSUMER.INFO.p.all' },
  { pull: 'p.all', body: { batch: 1, no_wait: true } },
  { ask: 'CONSUMER.RESET.p.all', raw: 'x' },
  { ask: 'CONSUMER.RESET.p.zzz', differs: 'nats-server does not answer' },
  { ask: 'CONSUMER.RESET.p.all', body: { seq: 1 } },
  { ask: 'CONSUMER.INFO.p.all' },
  { ask: 'STREAM.PURGE.p', body: { seq: 4 } },
  { ask: 'CONSUMER.INFO.p.all' },
  { ask: 'CONSUMER.INFO.p.some' },
  { pull: 'p.all', body: { batch: 2, no_wait: true }, count: 2 },
  { ask: 'STREAM.PURGE.p', body: { filter: 'p.2' } },
  { ask: 'CONSUMER.INFO.p.all', differs: floor },
  { ask: 'STREAM.PURGE.p' },
  { ask: 'CONSUMER.INFO.p.all' },
  { ask: 'CONSUMER.INFO.p.some' },
  {
    ask: 'CONSUMER.CREATE.p.ahead',
    body: {
      stream_name: 'p',
      config: { name: 'ahead', deliver_policy: 'by_start_sequence', opt_start_seq: 100 },
    },
  },
  ...[10, 11, 12].map((n) => ({ publish: 'p.x', text: `message ${n}` })),
  { pull: 'p.ahead', body: { batch: 2, no_wait: true }, count: 2 },
  {
    ask: 'CONSUMER.CREATE.p.naked',
    body: { stream_name: 'p', config: { durable_name: 'naked', ack_policy: 'explicit' } },
  },
  { pull: 'p.naked', body: { batch: 1, no_wait: true }, count: 1, ack: '-NAK' },
  { pull: 'p.naked', body: { batch: 2, no_wait: true }, count: 2 },
  { ask: 'CONSUMER.INFO.p.naked' },
  { ask: 'STREAM.MSG.DELETE.p', body: { seq: 11 } },
  { ask: 'STREAM.MSG.DELETE.p', body: { seq: 11 } },
  { ask: 'STREAM.INFO.p', body: { deleted_details: true } },
];

const purges: readonly Step[] = [
  { ask: 'STREAM.PURGE.zzz' },
  { ask: 'STREAM.PURGE.a', body: { seq: 1, keep: 1 } },
  { ask: 'STREAM.PURGE.a', body: { keep: 1, filter: 'a.3' } },
  { ask: 'STREAM.PURGE.a', body: { nonsense: 1 } },
  { ask: 'STREAM.CREATE.locked', body: { name: 'locked', deny_purge: true, deny_delete: true } },
  { ask: 'STREAM.PURGE.locked' },
  { publish: 'locked', text: 'x' },
  { ask: 'STREAM.MSG.DELETE.locked', body: { seq: 1 } },
  { ask: 'STREAM.UPDATE.locked', body: { name: 'locked' } },
  {
    ask: 'STREAM.UPDATE.locked',
    body: { name: 'locked', deny_purge: true, deny_delete: true, sealed: true },
  },
  { ask: 'STREAM.UPDATE.locked', body: { name: 'locked', deny_purge: true, deny_delete: true } },
  { publish: 'locked', text: 'x' },
  { publish: 'locked', text: 'x', headers: { 'Nats-Rollup': 'all' } },
  { publish: 'locked', text: 'x', headers: { 'Nats-TTL': '1s' } },
  { ask: 'STREAM.PURGE.locked' },
  { ask: 'STREAM.MSG.DELETE.locked', body: { seq: 1 } },
];

const clusterAndEnds: readonly Step[] = [
  { ask: 'STREAM.LEADER.STEPDOWN.a' },
  { ask: 'STREAM.PEER.REMOVE.a', body: { peer: 'x' } },
  { ask: 'CONSUMER.LEADER.STEPDOWN.a.c' },
  { ask: 'CONSUMER.DELETE.a.zzz' },
  { ask: 'CONSUMER.DELETE.a.c', body: { x: 1 } },
  { ask: 'CONSUMER.DELETE.a.c' },
  { ask: 'CONSUMER.DELETE.a.c' },
  { ask: 'STREAM.DELETE.a', body: { x: 1 } },
  { ask: 'STREAM.DELETE.a' },
  { ask: 'STREAM.DELETE.a' },
];

/** The requests that both servers are asked, in order. */
export const steps: readonly Step[] = [
  ...accounts,
  ...streamCreates,
  ...levels,
  ...publishes,
  ...messages,
  ...streamReads,
  ...streamUpdates,
  ...consumerCreates,
  ...workQueue,
  ...consumerReads,
  ...deliveries,
  ...purges,
  ...clusterAndEnds,
];
