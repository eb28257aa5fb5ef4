import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, DeliverPolicy, RetentionPolicy } from '@nats-io/jetstream';
import { eventually, parallel } from '../../support/index.ts';
import { SECOND_NS, collect, rejectsWithCode, useNats } from './clients.ts';

describe('JetStream consumers', parallel, () => {
  const { jsm, js, addStream, api } = useNats();

  const create = (stream: string, name: string, config: object, extra: object = {}): ReturnType<typeof api> =>
    api(`CONSUMER.CREATE.${stream}${name === '' ? '' : `.${name}`}`, {
      stream_name: stream,
      config,
      ...extra,
    });

  test('create answers with every default', async () => {
    const { name } = await addStream();
    for (let i = 0; i < 3; i += 1) await js().publish(`${name}.a`);
    const info = await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    assert.equal(info.stream_name, name);
    assert.equal(info.name, 'c');
    const expected = {
      durable_name: 'c',
      name: 'c',
      deliver_policy: 'all',
      ack_policy: 'explicit',
      ack_wait: 30 * SECOND_NS,
      max_deliver: -1,
      replay_policy: 'instant',
      max_waiting: 512,
      max_ack_pending: 1000,
      num_replicas: 0,
    };
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(info.config[field as keyof typeof info.config], value, field);
    assert.deepEqual(info.delivered, { consumer_seq: 0, stream_seq: 0 });
    assert.deepEqual(info.ack_floor, { consumer_seq: 0, stream_seq: 0 });
    assert.equal(info.num_pending, 3);
    assert.equal(info.num_ack_pending, 0);
    assert.equal(info.num_redelivered, 0);
    assert.equal(info.num_waiting, 0);
    assert.ok(Math.abs(Date.now() - Date.parse(info.created)) < 60_000);
    assert.equal((await jsm().streams.info(name)).state.consumer_count, 1);
  });

  test('create keeps the requested configuration', async () => {
    const { name } = await addStream();
    const asked = {
      description: 'all of it',
      deliver_policy: DeliverPolicy.New,
      ack_policy: AckPolicy.All,
      ack_wait: 5 * SECOND_NS,
      max_deliver: 7,
      filter_subjects: [`${name}.a`, `${name}.b.>`],
      max_waiting: 10,
      max_ack_pending: 20,
      headers_only: true,
      max_batch: 5,
      max_expires: 10 * SECOND_NS,
      max_bytes: 4096,
      inactive_threshold: 100 * SECOND_NS,
      sample_freq: '100',
      mem_storage: true,
    };
    const { config } = await jsm().consumers.add(name, {
      durable_name: 'c',
      ...asked,
      metadata: { owner: 'tests' },
    });
    for (const [field, value] of Object.entries(asked))
      assert.deepEqual(config[field as keyof typeof config], value, field);
    assert.equal(config.metadata?.['owner'], 'tests');
    const { config: again } = await jsm().consumers.info(name, 'c');
    assert.deepEqual(again, config);
  });

  test('an ephemeral consumer gets a name and an inactive threshold', async () => {
    const { name } = await addStream();
    const info = await jsm().consumers.add(name, { ack_policy: AckPolicy.None });
    assert.match(info.name, /^[A-Za-z0-9]{6,}$/);
    assert.equal(info.config.durable_name, undefined);
    assert.equal(info.config.inactive_threshold, 5 * SECOND_NS);
    assert.equal(info.config.ack_wait, undefined);
    assert.equal(info.config.max_ack_pending, undefined);
  });

  test('an ephemeral consumer ends after its inactive threshold', async () => {
    const { name } = await addStream();
    const info = await jsm().consumers.add(name, {
      ack_policy: AckPolicy.Explicit,
      inactive_threshold: 0.3 * SECOND_NS,
    });
    await eventually(async () => (await collect(jsm().consumers.list(name))).length === 0, {
      timeoutMs: 20_000,
    });
    await rejectsWithCode(jsm().consumers.info(name, info.name), 10014);
  });

  test('create twice: the same is fine, another is refused, without an action it updates', async () => {
    const { name } = await addStream();
    const config = { durable_name: 'c', ack_policy: 'explicit' };
    const first = await create(name, 'c', config, { action: 'create' });
    const again = await create(name, 'c', config, { action: 'create' });
    assert.equal(again['created'], first['created']);
    assert.deepEqual((await create(name, 'c', { ...config, max_deliver: 4 }, { action: 'create' })).error, {
      code: 400,
      err_code: 10148,
      description: 'consumer already exists',
    });
    const updated = await create(name, 'c', { ...config, max_deliver: 4 });
    assert.equal((updated['config'] as { max_deliver: number }).max_deliver, 4);
    assert.equal(updated['created'], first['created']);
    assert.equal(
      (await create(name, 'other', { ...config, durable_name: 'other' }, { action: 'update' })).error
        ?.err_code,
      10149,
    );
  });

  test('update', async () => {
    const { name } = await addStream();
    await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    const info = await jsm().consumers.update(name, 'c', {
      ack_wait: 3 * SECOND_NS,
      max_ack_pending: 5,
      description: 'new',
      filter_subject: `${name}.x`,
    });
    assert.equal(info.config.ack_wait, 3 * SECOND_NS);
    assert.equal(info.config.max_ack_pending, 5);
    assert.equal(info.config.description, 'new');
    assert.equal(info.config.filter_subject, `${name}.x`);
    assert.equal(
      (await create(name, 'c', { durable_name: 'c', ack_policy: 'none' })).error?.description,
      'ack policy can not be updated',
    );
    assert.equal(
      (await create(name, 'c', { durable_name: 'c', ack_policy: 'explicit', deliver_policy: 'new' })).error
        ?.description,
      'deliver policy can not be updated',
    );
  });

  test('the older way to create a durable consumer', async () => {
    const { name } = await addStream();
    const answer = await api(`CONSUMER.DURABLE.CREATE.${name}.old`, {
      stream_name: name,
      config: { durable_name: 'old', ack_policy: 'explicit' },
    });
    assert.equal(answer['name'], 'old');
    assert.equal(answer.type, 'io.nats.jetstream.api.v1.consumer_create_response');
  });

  test('configurations that make no sense', async () => {
    const { name } = await addStream();
    const refuse = async (config: object, code: number, text: string | RegExp): Promise<void> => {
      const { error } = await create(name, 'c', { durable_name: 'c', ack_policy: 'explicit', ...config });
      assert.equal(error?.err_code, code, JSON.stringify({ config, error }));
      if (typeof text === 'string') assert.equal(error.description, text);
      else assert.match(error.description, text);
    };
    await refuse({ bogus: 1 }, 10025, 'invalid JSON: json: unknown field "bogus"');
    await refuse({ ack_policy: 'bogus' }, 10025, /^invalid JSON/);
    await refuse(
      { durable_name: 'other' },
      10017,
      'consumer name in subject does not match durable name in request',
    );
    await refuse(
      { filter_subjects: [`${name}.a`, `${name}.a`] },
      10138,
      'consumer subject filters cannot overlap',
    );
    await refuse(
      { filter_subjects: [`${name}.*`, `${name}.a`] },
      10138,
      'consumer subject filters cannot overlap',
    );
    await refuse(
      { filter_subjects: [`${name}.a`, ''] },
      10139,
      'consumer filter in FilterSubjects cannot be empty',
    );
    await refuse(
      { filter_subject: `${name}.a`, filter_subjects: [`${name}.b`] },
      10136,
      'consumer cannot have both FilterSubject and FilterSubjects specified',
    );
    await refuse(
      { backoff: [SECOND_NS, 2 * SECOND_NS], max_deliver: 1 },
      10116,
      'max deliver is required to be > length of backoff values',
    );
    await refuse(
      { deliver_policy: 'by_start_sequence' },
      10094,
      'consumer delivery policy is deliver by start sequence, but optional start sequence is not set',
    );
    await refuse(
      { deliver_policy: 'by_start_time' },
      10094,
      'consumer delivery policy is deliver by start time, but optional start time is not set',
    );
    await refuse(
      { opt_start_seq: 1 },
      10094,
      'consumer delivery policy is deliver all, but optional start sequence is also set',
    );
    await refuse(
      { deliver_policy: 'last_per_subject' },
      10094,
      'consumer delivery policy is deliver last per subject, but optional filter subject is not set',
    );
    await refuse({ deliver_subject: `${name}.a` }, 10081, 'consumer deliver subject forms a cycle');
    await refuse({ deliver_subject: 'a.*' }, 10079, 'consumer deliver subject has wildcards');
    await refuse(
      { deliver_subject: 'a', flow_control: true },
      10108,
      'consumer with flow control also needs heartbeats',
    );
    await refuse(
      { deliver_subject: 'a', idle_heartbeat: 1 },
      10083,
      'consumer idle heartbeat needs to be >= 100ms',
    );
    await refuse(
      { idle_heartbeat: SECOND_NS },
      10088,
      'consumer idle heartbeat requires a push based consumer',
    );
    assert.equal(
      (await api(`CONSUMER.CREATE.${name}`, { stream_name: 'other', config: {} })).error?.err_code,
      10056,
    );
    assert.equal(
      (
        await create(name, `c.${name}.a`, {
          durable_name: 'c',
          ack_policy: 'explicit',
          filter_subject: `${name}.b`,
        })
      ).error?.err_code,
      10131,
    );
    assert.equal((await create('nowhere', 'c', { durable_name: 'c' })).error?.err_code, 10059);
    assert.deepEqual(await collect(jsm().consumers.list(name)), []);
  });

  test('a work queue has one consumer for each subject', async () => {
    const { name } = await addStream({ retention: RetentionPolicy.Workqueue });
    const add = (durable: string, config: object = {}): ReturnType<typeof api> =>
      create(name, durable, { durable_name: durable, ack_policy: 'explicit', ...config });
    const refused = async (answer: ReturnType<typeof api>, code: number, text: string): Promise<void> => {
      const { error } = await answer;
      assert.deepEqual(error, { code: 400, err_code: code, description: text });
    };
    assert.equal((await add('all')).error, undefined);
    await refused(add('second'), 10099, 'multiple non-filtered consumers not allowed on workqueue stream');
    await refused(
      add('filtered', { filter_subject: `${name}.a` }),
      10100,
      'filtered consumer not unique on workqueue stream',
    );
    await jsm().consumers.delete(name, 'all');
    assert.equal((await add('a', { filter_subject: `${name}.a` })).error, undefined);
    assert.equal((await add('b', { filter_subject: `${name}.b` })).error, undefined);
    await refused(
      add('overlap', { filter_subject: `${name}.*` }),
      10100,
      'filtered consumer not unique on workqueue stream',
    );
    await refused(
      add('overlap', { filter_subjects: [`${name}.c`, `${name}.b`] }),
      10100,
      'filtered consumer not unique on workqueue stream',
    );
    await refused(add('all'), 10099, 'multiple non-filtered consumers not allowed on workqueue stream');
    await refused(
      add('c', { filter_subject: `${name}.c`, ack_policy: 'none' }),
      10084,
      'consumer in pull mode requires explicit ack policy on workqueue stream',
    );
    await refused(
      add('c', { filter_subject: `${name}.c`, ack_policy: 'all' }),
      10098,
      'workqueue stream requires explicit ack',
    );
    await refused(
      add('c', { filter_subject: `${name}.c`, deliver_policy: 'new' }),
      10101,
      'consumer must be deliver all on workqueue stream',
    );
  });

  test('info, names, list and delete', async () => {
    const { name } = await addStream();
    for (const durable of ['b', 'c', 'a'])
      await jsm().consumers.add(name, { durable_name: durable, ack_policy: AckPolicy.Explicit });
    const listed = await collect(jsm().consumers.list(name));
    assert.deepEqual(
      listed.map((info) => info.name),
      ['a', 'b', 'c'],
    );
    const names = await api(`CONSUMER.NAMES.${name}`, { offset: 1 });
    assert.deepEqual(names['consumers'], ['b', 'c']);
    assert.equal(names['total'], 3);
    assert.equal(names['limit'], 1024);
    assert.equal(await jsm().consumers.delete(name, 'b'), true);
    assert.equal(await rejectsWithCode(jsm().consumers.info(name, 'b'), 10014), 'consumer not found');
    await rejectsWithCode(jsm().consumers.delete(name, 'b'), 10014);
    assert.equal((await jsm().streams.info(name)).state.consumer_count, 2);
    await rejectsWithCode(jsm().consumers.info('nowhere', 'a'), 10059);
    assert.equal((await api('CONSUMER.NAMES.nowhere')).error?.err_code, 10059);
    assert.equal((await api('CONSUMER.LIST.nowhere')).error?.err_code, 10059);
  });

  test('a list of more than a page', async () => {
    const { name } = await addStream();
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        create(name, `c${i}`, { durable_name: `c${i}`, ack_policy: 'none', mem_storage: true }),
      ),
    );
    const first = await api(`CONSUMER.LIST.${name}`);
    assert.equal((first['consumers'] as unknown[]).length, 256);
    assert.equal(first['total'], count);
    assert.equal(first['limit'], 256);
    const listed = await collect(jsm().consumers.list(name));
    assert.equal(new Set(listed.map((info) => info.name)).size, count);
  });

  test('max_consumers', async () => {
    const { name } = await addStream({ max_consumers: 1 });
    await jsm().consumers.add(name, { durable_name: 'one', ack_policy: AckPolicy.Explicit });
    assert.equal(
      await rejectsWithCode(
        jsm().consumers.add(name, { durable_name: 'two', ack_policy: AckPolicy.Explicit }),
        10026,
      ),
      'maximum consumers limit reached',
    );
  });
});
