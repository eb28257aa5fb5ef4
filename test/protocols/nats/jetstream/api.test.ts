import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { timeText } from '../../../../src/protocols/nats/jetstream/time.ts';
import { TestJetStream } from './kit.ts';

describe('streams', () => {
  test('create answers with the whole configuration and an empty state', async () => {
    await using js = await TestJetStream.open();
    const answer = await js.api('STREAM.CREATE.S', {
      name: 'S',
      subjects: ['s.>'],
      metadata: { owner: 'me' },
    });
    assert.equal(answer.type, 'io.nats.jetstream.api.v1.stream_create_response');
    assert.equal(answer.did_create, true);
    assert.deepEqual(answer.config, {
      name: 'S',
      subjects: ['s.>'],
      retention: 'limits',
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
      max_msgs_per_subject: -1,
      max_msg_size: -1,
      discard: 'old',
      storage: 'file',
      num_replicas: 1,
      duplicate_window: 120_000_000_000,
      compression: 'none',
      allow_direct: false,
      mirror_direct: false,
      sealed: false,
      deny_delete: false,
      deny_purge: false,
      allow_rollup_hdrs: false,
      consumer_limits: {},
      allow_msg_ttl: false,
      metadata: { owner: 'me', '_nats.level': '1', '_nats.req.level': '0', '_nats.ver': '2.14.0' },
    });
    assert.deepEqual(answer.state, {
      messages: 0,
      bytes: 0,
      first_seq: 0,
      first_ts: '0001-01-01T00:00:00Z',
      last_seq: 0,
      last_ts: '0001-01-01T00:00:00Z',
      consumer_count: 0,
    });
  });

  test('create again: the same configuration is fine, as it was or as it was answered', async () => {
    await using js = await TestJetStream.open();
    const first = await js.addStream('S', { max_age: 3_600_000_000_000 });
    const { created, config } = first;
    assert.equal((await js.addStream('S', { max_age: 3_600_000_000_000 })).created, created);
    assert.equal((await js.api('STREAM.CREATE.S', config)).created, created);
    const { error } = await js.api('STREAM.CREATE.S', { name: 'S' });
    assert.deepEqual(error, {
      code: 400,
      err_code: 10058,
      description: 'stream name already in use with a different configuration',
    });
  });

  test('a configuration that does not fit is refused before anything is created', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const code = async (path: string, body?: object | string): Promise<number | undefined> =>
      (await js.api(path, body)).error?.err_code;
    assert.equal(await code('STREAM.CREATE.T', { name: 'T', subjects: ['s.a'] }), 10065);
    assert.equal(await code('STREAM.CREATE.T', { name: 'U' }), 10056);
    assert.equal(await code('STREAM.CREATE.T'), 10056);
    assert.equal(await code('STREAM.CREATE.T', '{'), 10025);
    assert.equal(await code('STREAM.CREATE.T', { name: 'T', num_replicas: 3 }), 10074);
    assert.equal(await code('STREAM.CREATE.T', { name: 'T', sealed: true }), 10052);
    assert.equal(await code('STREAM.CREATE.a/b', { name: 'a/b' }), 10128);
    assert.equal(await code('STREAM.INFO.T'), 10059);
    assert.deepEqual((await js.api('STREAM.NAMES')).streams, ['S']);
  });

  test('info: state, subjects, deleted', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (const subject of ['s.a', 's.b', 's.a', 's.c']) await js.publish(subject, 'x');
    await js.api('STREAM.MSG.DELETE.S', { seq: 2 });
    const plain = await js.api('STREAM.INFO.S');
    assert.equal(plain.state.messages, 3);
    assert.equal(plain.state.num_subjects, 2);
    assert.equal(plain.state.num_deleted, 1);
    assert.equal(plain.state.deleted, undefined);
    assert.equal(plain.state.first_ts, timeText(js.kit.clock.now()));
    const full = await js.api('STREAM.INFO.S', { deleted_details: true, subjects_filter: 's.*' });
    assert.deepEqual(full.state.deleted, [2]);
    assert.deepEqual(full.state.subjects, { 's.a': 2, 's.c': 1 });
    assert.equal(full.total, 2);
    const rest = await js.api('STREAM.INFO.S', { subjects_filter: '>', offset: 1 });
    assert.deepEqual(rest.state.subjects, { 's.c': 1 });
  });

  test('purge: everything, a subject, up to a sequence, all but the last', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (let i = 1; i <= 10; i++) await js.publish(`s.${i % 2}`, `${i}`);
    const purge = async (body?: object): Promise<unknown> => (await js.api('STREAM.PURGE.S', body)).purged;
    assert.equal(await purge({ filter: 's.0', keep: 3 }), 2);
    assert.equal(await purge({ seq: 4 }), 2);
    assert.equal(await purge({ keep: 4 }), 2);
    assert.equal((await js.api('STREAM.PURGE.S', { seq: 1, keep: 1 })).error?.err_code, 10003);
    assert.equal(await purge(), 4);
    const { state } = await js.api('STREAM.INFO.S');
    assert.deepEqual([state.messages, state.first_seq, state.last_seq], [0, 11, 10]);
  });

  test('delete one message', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (let i = 1; i <= 3; i++) await js.publish('s.a', `${i}`);
    const remove = async (seq: number): Promise<string> => {
      const { error, success } = await js.api('STREAM.MSG.DELETE.S', { seq });
      return error ? `${error.err_code} ${error.description}` : String(success);
    };
    assert.equal(await remove(2), 'true');
    assert.equal(await remove(2), '10043 sequence 2 not found');
    assert.equal(await remove(4), '10057 stream store EOF');
    assert.equal((await js.api('STREAM.MSG.DELETE.S', {})).error?.err_code, 10003);
    assert.equal((await js.api('STREAM.MSG.GET.S', { seq: 2 })).error?.err_code, 10037);
  });

  test('update changes members that may change, and keeps the subjects of stored messages', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['old.>'] });
    await js.publish('old.a', 'kept');
    const { config, error } = await js.api('STREAM.UPDATE.S', {
      name: 'S',
      subjects: ['new.>'],
      max_msgs: 5,
    });
    assert.equal(error, undefined);
    assert.deepEqual(config.subjects, ['new.>']);
    await js.publish('new.a', 'fresh');
    assert.equal(js.kit.broker.router.topicOf('old.a'), undefined);
    assert.equal((await js.api('STREAM.MSG.GET.S', { seq: 1 })).message.subject, 'old.a');
    assert.equal((await js.api('STREAM.UPDATE.T', { name: 'T' })).error?.err_code, 10059);
  });

  test('sealed, a stream takes and loses nothing', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.publish('s.a');
    await js.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], sealed: true });
    assert.equal((await js.publish('s.a')).error?.err_code, 10109);
    assert.equal((await js.api('STREAM.PURGE.S')).error?.err_code, 10109);
    assert.equal((await js.api('STREAM.MSG.DELETE.S', { seq: 1 })).error?.err_code, 10109);
  });

  test('names and lists come in pages', async () => {
    await using js = await TestJetStream.open();
    assert.equal((await js.api('STREAM.NAMES')).streams, null);
    assert.deepEqual((await js.api('STREAM.LIST')).streams, []);
    for (const name of ['b', 'c', 'a']) await js.addStream(name);
    const names = await js.api('STREAM.NAMES', { offset: 1 });
    assert.deepEqual(names.streams, ['b', 'c']);
    assert.deepEqual([names.total, names.offset, names.limit], [3, 1, 1024]);
    assert.deepEqual((await js.api('STREAM.NAMES', { subject: 'b.x' })).streams, ['b']);
    assert.equal((await js.api('STREAM.LIST', { subject: '*.x' })).streams.length, 3);
  });

  test('topics of other doors are streams too', async () => {
    await using js = await TestJetStream.open();
    await js.kit.broker.createTopic({ name: 'plain' });
    await js.kit.broker.createTopic({ name: 'with.dots', partitions: 3 });
    assert.deepEqual((await js.api('STREAM.NAMES')).streams, ['plain', 'with%2Edots']);
    const { config } = await js.api('STREAM.INFO.plain');
    assert.deepEqual(config.subjects, ['plain']);
    const topic = js.kit.broker.topic('with.dots')!;
    const sent = [];
    for (let partition = 0; partition < 3; partition++)
      sent.push(await topic.send({ value: `${partition}` }, { partition }));
    assert.equal(sent.length, 3);
    const { state } = await js.api('STREAM.INFO.with%2Edots');
    assert.equal(state.messages, 3);
    await js.addConsumer('with%2Edots', 'c');
    const inbox = js.pull('with%2Edots', 'c', '3');
    await js.settle();
    assert.deepEqual(inbox.texts.sort(), ['0', '1', '2']);
    for (const delivery of inbox.seen) js.ack(delivery);
    assert.equal((await js.api('CONSUMER.INFO.with%2Edots.c')).num_ack_pending, 0);
  });

  test('a topic without subjects takes publishes under its name, before and after an update made that its subject', async () => {
    await using js = await TestJetStream.open();
    await js.kit.broker.createTopic({ name: 'plain', messagesMax: 7 });
    const { config } = await js.api('STREAM.INFO.plain');
    assert.equal(config.max_msgs, 7);
    assert.equal((await js.publish('plain', 'x')).seq, 1);
    const updated = await js.api('STREAM.UPDATE.plain', config);
    assert.deepEqual(updated.config, config);
    assert.equal((await js.publish('plain', 'x')).seq, 2);
    assert.equal((await js.api('STREAM.CREATE.plain', config)).error, undefined);
  });

  test('streams and consumers are there after a restart', async () => {
    await using js = await TestJetStream.open();
    const { config } = await js.addStream('S', { description: 'kept', metadata: { a: 'b' } });
    await js.publish('S.a', '1');
    await js.publish('S.a', '2');
    const before = await js.addConsumer('S', 'c', { filter_subject: 'S.*', description: 'too' });
    const inbox = js.pull('S', 'c', '2');
    await js.settle();
    js.ack(inbox.seen[0]!);
    await js.settle();
    await js.restart();
    assert.deepEqual((await js.api('STREAM.INFO.S')).config, config);
    const after = await js.api('CONSUMER.INFO.S.c');
    assert.deepEqual(after.config, before.config);
    assert.equal(after.ack_floor.stream_seq, 1);
    const again = js.pull('S', 'c', '2');
    await js.settle();
    assert.deepEqual(again.texts, [], 'its consumer may still ack it');
    await js.advance(30_000);
    assert.deepEqual(again.texts, ['2']);
  });
});

describe('consumers', () => {
  test('create answers with the whole configuration', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.publish('s.a');
    const answer = await js.addConsumer('S', 'c');
    assert.equal(answer.type, 'io.nats.jetstream.api.v1.consumer_create_response');
    const { config, delivered, ack_floor: floor, num_pending: pending } = answer;
    assert.deepEqual(config, {
      durable_name: 'c',
      name: 'c',
      deliver_policy: 'all',
      ack_policy: 'explicit',
      ack_wait: 30_000_000_000,
      max_deliver: -1,
      replay_policy: 'instant',
      max_waiting: 512,
      max_ack_pending: 1000,
      num_replicas: 0,
      metadata: { '_nats.level': '1', '_nats.req.level': '0', '_nats.ver': '2.14.0' },
    });
    assert.deepEqual(delivered, { consumer_seq: 0, stream_seq: 0 });
    assert.deepEqual(floor, { consumer_seq: 0, stream_seq: 0 });
    assert.equal(pending, 1);
  });

  test('names in subject and request must agree', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const code = async (path: string, config: object, stream = 'S'): Promise<number | undefined> =>
      (await js.api(`CONSUMER.${path}`, { stream_name: stream, config })).error?.err_code;
    assert.equal(await code('CREATE.S', { durable_name: 'd' }), 10020);
    assert.equal(await code('CREATE.S.c', { durable_name: 'd' }), 10017);
    assert.equal(await code('CREATE.S.c', {}, 'T'), 10056);
    assert.equal(await code('CREATE.S.c.s.a', { filter_subject: 's.b' }), 10131);
    assert.equal(await code('CREATE.S.c.s.a', { filter_subjects: ['s.a'] }), 10137);
    assert.equal(await code('CREATE.S.c.s.a', { filter_subject: 's.a' }), undefined);
    assert.equal(await code('DURABLE.CREATE.S.d', {}), 10018);
    assert.equal(await code('DURABLE.CREATE.S.d', { durable_name: 'e' }), 10017);
    assert.equal(await code('DURABLE.CREATE.S.d', { durable_name: 'd' }), undefined);
    assert.equal(await code('CREATE.T.c', {}, 'T'), 10059);
    assert.deepEqual((await js.api('CONSUMER.NAMES.S')).consumers, ['c', 'd']);
  });

  test('an ephemeral one without a name gets one', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const { name, config } = await js.api('CONSUMER.CREATE.S', {
      stream_name: 'S',
      config: { name: '', durable_name: '' },
    });
    assert.match(name, /^[A-Za-z0-9]{8}$/);
    assert.equal(config.name, undefined);
    assert.equal(config.inactive_threshold, 5_000_000_000);
    await js.advance(5000);
    assert.equal((await js.api(`CONSUMER.INFO.S.${name}`)).error?.err_code, 10014);
  });

  test('update, and the members that it cannot change', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (const subject of ['s.a', 's.b', 's.c']) await js.publish(subject, subject);
    await js.addConsumer('S', 'c');
    const { config } = await js.addConsumer('S', 'c', { filter_subject: 's.b', max_deliver: 7 });
    assert.equal(config.filter_subject, 's.b');
    const inbox = js.pull('S', 'c', { batch: 5, no_wait: true });
    await js.settle();
    assert.deepEqual(inbox.texts, ['s.b', '404 No Messages']);
    const { error } = await js.api('CONSUMER.CREATE.S.c', {
      stream_name: 'S',
      config: { durable_name: 'c', ack_policy: 'explicit', max_deliver: 8 },
      action: 'create',
    });
    assert.equal(error?.err_code, 10148);
  });

  test('a work queue has one consumer for each subject', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], retention: 'workqueue' });
    const code = async (name: string, config: object = {}): Promise<number | undefined> =>
      (
        await js.api(`CONSUMER.CREATE.S.${name}`, {
          stream_name: 'S',
          config: { durable_name: name, ack_policy: 'explicit', ...config },
        })
      ).error?.err_code;
    assert.equal(await code('all'), undefined);
    assert.equal(await code('all', { description: 'an update' }), undefined);
    assert.equal(await code('second'), 10099);
    assert.equal(await code('a', { filter_subject: 's.a' }), 10100);
    await js.api('CONSUMER.DELETE.S.all');
    assert.equal(await code('a', { filter_subject: 's.a' }), undefined);
    assert.equal(await code('b', { filter_subjects: ['s.b', 's.c'] }), undefined);
    assert.equal(await code('c', { filter_subject: 's.*' }), 10100);
    assert.equal(await code('a', { filter_subject: 's.b' }), 10100);
    assert.equal(await code('d', { filter_subject: 's.d', ack_policy: 'all' }), 10098);
    assert.equal(await code('d', { filter_subject: 's.d', deliver_policy: 'new' }), 10101);
  });

  test('max_consumers', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], max_consumers: 1 });
    await js.addConsumer('S', 'c');
    await js.addConsumer('S', 'c', { description: 'an update' });
    const { error } = await js.api('CONSUMER.CREATE.S.d', {
      stream_name: 'S',
      config: { durable_name: 'd' },
    });
    assert.equal(error?.err_code, 10026);
  });

  test('one in memory is gone after a restart', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.addConsumer('S', 'stored');
    await js.addConsumer('S', 'remembered', { mem_storage: true });
    await js.restart();
    assert.deepEqual((await js.api('CONSUMER.NAMES.S')).consumers, ['stored']);
  });

  test('pause holds deliveries until its time', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.publish('s.a', 'x');
    await js.addConsumer('S', 'c');
    const until = timeText(js.kit.clock.now() + 10_000);
    const paused = await js.api('CONSUMER.PAUSE.S.c', { pause_until: until });
    assert.deepEqual(
      [paused.paused, paused.pause_until, paused.pause_remaining],
      [true, until, 10_000_000_000],
    );
    const inbox = js.pull('S', 'c', { expires: 60_000_000_000 });
    const noWait = js.pull('S', 'c', { no_wait: true });
    await js.settle();
    assert.deepEqual(noWait.texts, ['404 No Messages']);
    const during = await js.api('CONSUMER.INFO.S.c');
    assert.equal(during.paused, true);
    assert.equal(during.config.pause_until, until);
    // To create it again changes nothing about that.
    const later = new Date(js.kit.clock.now() + 99_000).toISOString();
    const again = await js.addConsumer('S', 'c', { description: 'new', pause_until: later });
    assert.equal(again.config.pause_until, until);
    await js.advance(9999);
    assert.deepEqual(inbox.texts, []);
    await js.advance(1);
    assert.deepEqual(inbox.texts, ['x']);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).paused, undefined);
    const past = await js.api('CONSUMER.PAUSE.S.c', { pause_until: '2020-01-01T00:00:00Z' });
    assert.equal(past.paused, false);
    const unpaused = await js.addConsumer('S', 'c', { pause_until: until.replace(/^\d+/, '2999') });
    assert.equal(unpaused.paused, undefined);
    assert.deepEqual(await js.api('CONSUMER.PAUSE.S.c', {}), {
      type: 'io.nats.jetstream.api.v1.consumer_pause_response',
      paused: false,
      pause_until: '0001-01-01T00:00:00Z',
    });
  });

  test('reset starts over', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (let i = 1; i <= 5; i++) await js.publish('s.a', `${i}`);
    await js.addConsumer('S', 'c');
    const inbox = js.pull('S', 'c', '5');
    await js.settle();
    for (const delivery of inbox.seen.slice(0, 2)) js.ack(delivery);
    const back = await js.api('CONSUMER.RESET.S.c');
    assert.equal(back.reset_seq, 3);
    assert.equal(back.num_ack_pending, 0);
    assert.equal((await js.api('CONSUMER.RESET.S.c', { seq: 5 })).num_pending, 1);
    await js.addConsumer('S', 'late', { deliver_policy: 'by_start_sequence', opt_start_seq: 3 });
    assert.equal(
      (await js.api('CONSUMER.RESET.S.late', { seq: 2 })).error?.description,
      'invalid reset: below start seq',
    );
  });

  test('a pull consumer whose filter no subject of the stream matches is accepted', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    assert.equal((await js.addConsumer('S', 'c', { filter_subject: 'elsewhere' })).error, undefined);
  });
});

describe('the API itself', () => {
  test('account info counts', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.addStream('M', { subjects: ['m.>'], storage: 'memory' });
    await js.publish('m.a', 'x'.repeat(100));
    await js.addConsumer('S', 'c');
    await js.api('STREAM.INFO.none');
    const { streams, consumers, memory, limits, api } = await js.api('INFO');
    assert.deepEqual([streams, consumers, limits.max_streams], [2, 1, -1]);
    assert.ok(memory >= 100);
    assert.equal(api.errors, 1);
    assert.equal(api.total, 4, 'it does not count itself');
  });

  test('a request for a level beyond ours is refused', async () => {
    await using js = await TestJetStream.open();
    const { error } = await js.api('INFO', '', { 'Nats-Required-Api-Level': '99' });
    assert.deepEqual(error, {
      code: 412,
      err_code: 10185,
      description: 'JetStream minimum api level required',
    });
    assert.equal((await js.api('INFO', '', { 'Nats-Required-Api-Level': '1' })).error, undefined);
  });

  test('unknown verbs are swallowed, subjects outside are not taken', async () => {
    await using js = await TestJetStream.open();
    const ask = (subject: string): boolean =>
      js.jetStream.request(js.session, js.message(subject, { reply: 'r' }));
    assert.equal(ask('$JS.API.NOPE'), true);
    assert.equal(ask('$JS.API.STREAM.CREATE'), true);
    assert.equal(ask('$JS.API.DIRECT.GET.none'), false);
    assert.equal(ask('$JS.API.CONSUMER.MSG.NEXT.S.c'), false);
    assert.equal(ask('$JS.FC.S.c.1'), false);
    assert.equal(ask('$JS.EVENT.ADVISORY.x'), false);
  });

  test('members that need a cluster, and unsupported ones, have their own errors', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    assert.equal((await js.api('STREAM.LEADER.STEPDOWN.S')).error?.err_code, 10010);
    assert.equal((await js.api('STREAM.SNAPSHOT.S', {})).error?.err_code, 10064);
    assert.equal((await js.api('STREAM.RESTORE.S', {})).error?.err_code, 10062);
  });

  test('requests of any bytes get an answer or none, and break nothing', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.addConsumer('S', 'c');
    const bodies = [
      '\u0000',
      '{"',
      '[]',
      '[1]',
      '"x"',
      '1e999',
      '{"config":[]}',
      `{"a":${'['.repeat(5000)}`,
      '\uFFFD',
    ];
    for (const path of [
      'STREAM.CREATE.S',
      'STREAM.UPDATE.S',
      'CONSUMER.CREATE.S.c',
      'STREAM.MSG.GET.S',
      'STREAM.PURGE.S',
      'CONSUMER.PAUSE.S.c',
    ]) {
      for (const body of bodies) await js.api(path, body);
    }
    const inboxes = bodies.map((body) => js.pull('S', 'c', body));
    await js.settle();
    assert.equal(inboxes.length, bodies.length);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).name, 'c');
  });
});

describe('advisories', () => {
  test('streams and consumers are announced', async () => {
    await using js = await TestJetStream.open();
    const watcher = js.listen('$JS.EVENT.ADVISORY.>');
    await js.addStream('S', { subjects: ['s.>'] });
    await js.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], max_msgs: 3 });
    await js.addConsumer('S', 'c');
    await js.api('CONSUMER.PAUSE.S.c', { pause_until: new Date(js.kit.clock.now() + 1000).toISOString() });
    await js.advance(1000);
    await js.api('CONSUMER.DELETE.S.c');
    await js.addConsumer('S', 'd');
    await js.api('STREAM.DELETE.S');
    const told = watcher.seen.map(({ subject, value }) => {
      const { type, id, timestamp, action, paused } = JSON.parse(value);
      assert.match(id, /^[0-9A-Za-z]{22}$/);
      assert.ok(!Number.isNaN(Date.parse(timestamp)));
      return [subject.slice('$JS.EVENT.ADVISORY.'.length), type.split('.').at(-1), action ?? paused].join(
        ' ',
      );
    });
    assert.deepEqual(told, [
      'STREAM.CREATED.S stream_action create',
      'STREAM.UPDATED.S stream_action modify',
      'CONSUMER.CREATED.S.c consumer_action create',
      'CONSUMER.PAUSE.S.c consumer_pause true',
      'CONSUMER.PAUSE.S.c consumer_pause false',
      'CONSUMER.DELETED.S.c consumer_action delete',
      'CONSUMER.CREATED.S.d consumer_action create',
      'CONSUMER.DELETED.S.d consumer_action delete',
      'STREAM.DELETED.S stream_action delete',
    ]);
  });

  test('a stream may capture them', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('A', { subjects: ['$JS.EVENT.ADVISORY.STREAM.>'] });
    await js.addStream('S', { subjects: ['s.>'] });
    await js.settle();
    const { message } = await js.api('STREAM.MSG.GET.A', {
      last_by_subj: '$JS.EVENT.ADVISORY.STREAM.CREATED.S',
    });
    assert.equal(JSON.parse(Buffer.from(message.data, 'base64').toString()).stream, 'S');
  });
});
