import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseVerb, verbs } from '../../../../src/protocols/nats/jetstream/api.ts';
import {
  checkConsumerUpdate,
  consumerConfig,
} from '../../../../src/protocols/nats/jetstream/consumer-config.ts';
import { groupConfigOf } from '../../../../src/protocols/nats/jetstream/consumer-group.ts';
import { requiredLevel } from '../../../../src/protocols/nats/jetstream/stream-features.ts';
import { ApiError } from '../../../../src/protocols/nats/jetstream/errors.ts';
import { KeySubjects } from '../../../../src/protocols/nats/jetstream/key-subjects.ts';
import {
  streamConfig,
  topicConfigOf,
  updatedStreamConfig,
  type StreamConfigRequest,
} from '../../../../src/protocols/nats/jetstream/stream-config.ts';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return `${error.body.err_code} ${error.body.description}`;
  }
  throw new Error('it was accepted');
}

describe('stream configuration', () => {
  const make = (request: StreamConfigRequest): ReturnType<typeof streamConfig> =>
    streamConfig({ name: 'S', ...request });

  test('defaults, and limits that do not apply are -1', () => {
    const config = make({ max_msgs: 0, max_bytes: -5 });
    assert.deepEqual(config.subjects, ['S']);
    assert.equal(config.max_msgs, -1);
    assert.equal(config.max_bytes, -1);
    assert.equal(config.duplicate_window, 120e9);
    assert.equal(config.num_replicas, 1);
  });

  test('unsupported members are refused, not ignored', () => {
    const cases: [StreamConfigRequest, RegExp][] = [
      [{ mirror: { name: 'x' } }, /^10052 mirrors are not supported/],
      [{ sources: [{ name: 'x' }] }, /^10052 sources are not supported/],
      [{ first_seq: 10 }, /^10052 a first sequence/],
      [{ subject_transform: { src: 'a', dest: 'b' } }, /^10052 subject transforms/],
      [{ republish: { src: 'a', dest: 'b' } }, /^10052 republish/],
    ];
    for (const [request, expected] of cases)
      assert.match(
        refusal(() => make(request)),
        expected,
      );
    assert.equal(make({ sources: [], allow_msg_ttl: false }).name, 'S');
  });

  test('flags that allow something are kept, with the API level that they require', () => {
    const cases: [StreamConfigRequest, number][] = [
      [{}, 0],
      [{ allow_msg_ttl: true }, 1],
      [{ subject_delete_marker_ttl: 1e9 }, 1],
      [{ allow_atomic: true }, 2],
      [{ allow_msg_counter: true }, 2],
      [{ allow_msg_schedules: true }, 2],
      [{ persist_mode: 'async' }, 2],
      [{ allow_batched: true, allow_msg_ttl: true }, 4],
    ];
    for (const [request, level] of cases) {
      const config = make(request);
      for (const [flag, value] of Object.entries(request)) {
        assert.equal(config[flag as keyof typeof config], value, flag);
      }
      assert.equal(requiredLevel(config), level, JSON.stringify(request));
    }
    const scheduled = make({ allow_msg_schedules: true, deny_purge: true });
    assert.deepEqual([scheduled.allow_rollup_hdrs, scheduled.deny_purge], [true, false]);
  });

  test('flags that exclude each other, and flags that an update may not take back', () => {
    const cases: [StreamConfigRequest, string][] = [
      [{ allow_msg_counter: true, discard: 'new' }, '10052 counter stream cannot use discard new'],
      [{ allow_msg_counter: true, allow_msg_ttl: true }, '10052 counter stream cannot use message TTLs'],
      [{ allow_msg_schedules: true, discard: 'new' }, '10052 message scheduling cannot use discard new'],
      [
        { allow_atomic: true, persist_mode: 'async' },
        '10052 async persist mode is not supported with atomic batch publish',
      ],
    ];
    for (const [request, expected] of cases)
      assert.equal(
        refusal(() => make(request)),
        expected,
      );
    const updates: [StreamConfigRequest, string][] = [
      [{ allow_msg_ttl: true }, '10052 message TTL status can not be disabled'],
      [{ allow_msg_schedules: true }, '10052 message schedules can not be disabled'],
      [
        { allow_msg_counter: true },
        '10052 stream configuration update can not change message counter setting',
      ],
    ];
    for (const [request, expected] of updates)
      assert.equal(
        refusal(() => updatedStreamConfig(make(request), make({}))),
        expected,
      );
    updatedStreamConfig(make({ allow_atomic: true, allow_batched: true }), make({}));
  });

  test('a pedantic request has to name every filled-in value', () => {
    const cases: [StreamConfigRequest, string][] = [
      [{ max_msgs: -5 }, '10157 pedantic mode: max_msgs must be set to -1'],
      [{ max_bytes: -5 }, '10157 pedantic mode: max_bytes must be set to -1'],
      [{ max_age: 1e9 }, '10157 pedantic mode: duplicate window cannot be bigger than max age'],
    ];
    for (const [request, expected] of cases) {
      make(request);
      assert.equal(
        refusal(() => make({ ...request, pedantic: true })),
        expected,
      );
    }
  });

  test('invalid configurations', () => {
    const cases: [StreamConfigRequest, string][] = [
      [{ name: 'a.b' }, "10052 stream name is required and can not contain '.', '*', '>', '\\', '/'"],
      [{ name: 'x'.repeat(256) }, '10052 stream name is too long, maximum allowed is 255'],
      [{ max_age: -1 }, '10052 max age can not be negative'],
      [{ max_age: 1 }, '10052 max age needs to be >= 100ms'],
      [{ max_age: 1e9, duplicate_window: 2e9 }, '10052 duplicates window can not be larger then max age'],
      [{ duplicate_window: 5 }, '10052 duplicates window needs to be >= 100ms'],
      [{ deny_purge: true, allow_rollup_hdrs: true }, '10052 roll-ups require the purge permission'],
      [{ subjects: ['a.*', 'a.b'] }, '10052 subject "a.*" overlaps with "a.b"'],
      [{ subjects: ['$SYS.>'] }, '10052 subjects that overlap with system api require no-ack to be true'],
      [
        { subjects: Array.from({ length: 1025 }, (_, i) => `s${i}`) },
        '10052 a stream can not have more than 1024 subjects',
      ],
      [{ num_replicas: -1 }, '10133 replicas count cannot be negative'],
    ];
    for (const [request, expected] of cases)
      assert.equal(
        refusal(() => make(request)),
        expected,
      );
    assert.deepEqual(make({ subjects: ['$JS.EVENT.ADVISORY.>'] }).subjects, ['$JS.EVENT.ADVISORY.>']);
    assert.deepEqual(make({ subjects: ['>'], no_ack: true }).subjects, ['>']);
  });

  test('becomes a topic', () => {
    const topic = topicConfigOf(
      make({
        retention: 'workqueue',
        storage: 'memory',
        max_msgs: 5,
        discard: 'new',
        max_age: 1e9,
        max_msgs_per_subject: 2,
      }),
    );
    assert.equal(topic.retention, 'queue');
    assert.equal(topic.durability, 'memory');
    assert.equal(topic.messagesMax, 5);
    assert.equal(topic.bytesMax, undefined);
    assert.equal(topic.ageMsMax, 1000);
    assert.equal(topic.messagesPerKeyMax, 2);
    assert.equal(topic.overflow, 'reject');
    assert.equal(topic.overflowPerKey, 'drop-oldest');
    assert.equal(topic.dedupeWindowMs, 1000);
    assert.ok(topic.keyState);
  });

  test('an update keeps fixed members, and sealing closes the stream', () => {
    const old = make({ deny_delete: true });
    const update = (request: StreamConfigRequest): unknown =>
      updatedStreamConfig(old, make({ deny_delete: true, ...request }));
    assert.match(
      refusal(() => update({ storage: 'memory' })),
      /can not change storage type/,
    );
    assert.match(
      refusal(() => update({ retention: 'workqueue' })),
      /can not change retention policy/,
    );
    assert.match(
      refusal(() => updatedStreamConfig(old, make({}))),
      /can not cancel deny message deletes/,
    );
    assert.equal(
      refusal(() => update({ num_replicas: 3 })),
      '10074 replicas > 1 not supported in non-clustered mode',
    );
    const sealed = updatedStreamConfig(old, make({ deny_delete: true, sealed: true }));
    assert.equal(sealed.discard, 'new');
    assert.ok(sealed.deny_purge);
    assert.match(
      refusal(() => updatedStreamConfig(sealed, make({ deny_delete: true, deny_purge: true }))),
      /unseal/,
    );
  });
});

describe('consumer configuration', () => {
  const stream = streamConfig({ name: 'S', subjects: ['s.>'] });
  type Request = Parameters<typeof consumerConfig>[0];
  const make = (request: Request): ReturnType<typeof consumerConfig> => consumerConfig(request, stream);

  test('a push consumer has no max_waiting, an ephemeral one an inactive threshold', () => {
    const push = make({ deliver_subject: 'd', ack_policy: 'explicit' });
    assert.equal(push.max_waiting, undefined);
    assert.equal(push.inactive_threshold, 5e9);
    assert.equal(make({ durable_name: 'd' }).inactive_threshold, undefined);
    assert.equal(make({}).max_waiting, 512);
  });

  test('backoff has a bound', () => {
    const backoff = Array.from({ length: 10_001 }, () => 1e9);
    assert.match(
      refusal(() => make({ ack_policy: 'explicit', backoff })),
      /^10012 .*more than 10000 backoff values/,
    );
    assert.equal(make({ ack_policy: 'explicit', backoff: backoff.slice(1) }).backoff?.length, 10_000);
  });

  test('backoff sets the ack wait', () => {
    const config = make({ ack_policy: 'explicit', backoff: [2e9, 5e9], max_deliver: 2, ack_wait: 7e9 });
    assert.equal(config.ack_wait, 2e9);
    const group = groupConfigOf('c', config, stream);
    assert.deepEqual(group.backoffMs, [2000, 5000]);
    assert.equal(group.backoffMeans, 'deadline');
    assert.equal(group.ackWaitMs, 2000);
  });

  test('unsupported members are refused', () => {
    assert.match(
      refusal(() => make({ replay_policy: 'original' })),
      /^10182 /,
    );
    assert.match(
      refusal(() => make({ ack_policy: 'flow_control' })),
      /^10012 .*not supported/,
    );
  });

  test('members for push consumers only, and for pull consumers only', () => {
    assert.match(
      refusal(() => make({ flow_control: true })),
      /^10089/,
    );
    assert.match(
      refusal(() => make({ rate_limit_bps: 1, deliver_subject: '' })),
      /^10086/,
    );
    assert.match(
      refusal(() => make({ direct: true })),
      /^10090/,
    );
    assert.match(
      refusal(() => make({ direct: true, deliver_subject: 'd', durable_name: 'x' })),
      /^10091/,
    );
    assert.match(
      refusal(() => make({ deliver_subject: 'd', max_waiting: 5 })),
      /^10080/,
    );
    assert.match(
      refusal(() => make({ deliver_subject: 'd', max_ack_pending: 5 })),
      /^10082/,
    );
    assert.match(
      refusal(() => make({ deliver_subject: 'a..b' })),
      /^10112/,
    );
    assert.match(
      refusal(() => make({ sample_freq: 'often' })),
      /^10095/,
    );
    assert.match(
      refusal(() => make({ durable_name: 'a', name: 'b' })),
      /^10132/,
    );
    assert.match(
      refusal(() => make({ num_replicas: 3 })),
      /^10126/,
    );
  });

  test('max_deliver has a dead-letter topic, unless told otherwise', () => {
    const letters = (request: Request): unknown =>
      groupConfigOf('c', make({ ack_policy: 'explicit', ...request }), stream).deadLetter;
    assert.equal(letters({}), undefined);
    assert.equal(letters({ max_deliver: 3 }), 'S-c-dlq');
    assert.equal(letters({ max_deliver: 3, ack_policy: 'none' }), undefined);
    assert.equal(letters({ max_deliver: 3, metadata: { 'pillarbox.dead-letter': 'none' } }), undefined);
    assert.equal(
      letters({ max_deliver: 3, metadata: { 'pillarbox.dead-letter': 'graveyard' } }),
      'graveyard',
    );
    assert.match(
      refusal(() => letters({ max_deliver: 3, metadata: { 'pillarbox.dead-letter': 'a.b' } })),
      /^10012/,
    );
  });

  test('an update keeps fixed members', () => {
    const old = make({ ack_policy: 'explicit' });
    const update = (request: Request): void =>
      checkConsumerUpdate(old, make({ ack_policy: 'explicit', ...request }));
    update({ max_deliver: 5, filter_subject: 's.a', ack_wait: 1e9 });
    assert.equal(
      refusal(() => update({ ack_policy: 'all' })),
      '10012 ack policy can not be updated',
    );
    assert.equal(
      refusal(() => update({ max_waiting: 5 })),
      '10012 max waiting can not be updated',
    );
    assert.equal(
      refusal(() => update({ deliver_subject: 'd' })),
      '10012 can not update pull consumer to push based',
    );
  });
});

describe('key subjects', () => {
  const has = (patterns: string[], key: string): boolean => {
    const subjects = new KeySubjects(patterns);
    const bytes = Buffer.from(`xx${key}yy`);
    const answer = subjects.has(bytes, 2, bytes.length - 2);
    assert.equal(subjects.has(bytes, 2, bytes.length - 2), answer, 'the same the second time');
    assert.equal(subjects.hasText(key) && !key.includes('*'), answer && !key.includes('*'), key);
    return answer;
  };

  test('literals, prefixes and other patterns', () => {
    assert.ok(has(['a.b'], 'a.b'));
    assert.ok(!has(['a.b'], 'a.c'));
    assert.ok(has(['a.>'], 'a.b.c'));
    assert.ok(!has(['a.>'], 'a'));
    assert.ok(!has(['a.>'], 'ab'));
    assert.ok(has(['>'], 'anything'));
    assert.ok(has(['a.*.c'], 'a.b.c'));
    assert.ok(!has(['a.*.c'], 'a.b.d'));
    assert.ok(has(['x', 'a.*'], 'a.b'));
    assert.ok(has(['ü.>'], 'ü.x'));
  });

  test('the beginning of the key before is another key', () => {
    const subjects = new KeySubjects(['a.>']);
    const bytes = Buffer.from('a.b');
    assert.ok(subjects.has(bytes, 0, 3));
    assert.ok(!subjects.has(bytes, 0, 2));
    assert.ok(!subjects.has(bytes, 0, 1));
    assert.ok(subjects.has(bytes, 0, 3));
  });

  test('a key that would break a control line is no subject', () => {
    for (const key of ['a.b c', 'a.\r\nPING', 'a.', 'a..b', 'a.\u0000', '', 'a.b\t']) {
      assert.ok(!has(['a.>', '>', 'a.*'], key), JSON.stringify(key));
    }
  });
});

describe('API verbs', () => {
  test('are found by their tokens', () => {
    assert.deepEqual(parseVerb('INFO'), { verb: 'INFO', args: [] });
    assert.deepEqual(parseVerb('STREAM.CREATE.S'), { verb: 'STREAM.CREATE', args: ['S'] });
    assert.deepEqual(parseVerb('STREAM.MSG.GET.S'), { verb: 'STREAM.MSG.GET', args: ['S'] });
    assert.deepEqual(parseVerb('CONSUMER.CREATE.S.c.a.>'), {
      verb: 'CONSUMER.CREATE',
      args: ['S', 'c', 'a', '>'],
    });
    assert.deepEqual(parseVerb('CONSUMER.DURABLE.CREATE.S.c'), {
      verb: 'CONSUMER.DURABLE.CREATE',
      args: ['S', 'c'],
    });
  });

  test('with the wrong number of tokens there is no such verb', () => {
    for (const path of [
      '',
      'NOPE',
      'INFO.x',
      'STREAM',
      'STREAM.CREATE',
      'STREAM.CREATE.a.b',
      'STREAM.CREATE.',
      'toString',
    ]) {
      assert.equal(parseVerb(path), undefined, path);
    }
  });

  test('every verb has the type of its answer', () => {
    for (const { answer } of Object.values(verbs)) assert.match(answer, /^[a-z_]+$/);
  });
});
