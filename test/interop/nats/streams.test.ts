import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { parallel, uniqueName } from '../../support/index.ts';
import { MILLISECOND_NS, SECOND_NS, collect, patient, rejectsWithCode, useNats } from './clients.ts';

describe('JetStream streams', parallel, () => {
  const { nc, jsm, js, addStream, api } = useNats();

  test('account info', async () => {
    const info = await jsm().getAccountInfo();
    for (const field of ['memory', 'storage', 'streams', 'consumers'] as const)
      assert.equal(typeof info[field], 'number', field);
    assert.equal(info.limits.max_streams, -1);
    assert.equal(info.limits.max_consumers, -1);
    assert.equal(typeof info.api.total, 'number');
  });

  test('create answers with every default and an empty state', async () => {
    const name = uniqueName('stream');
    const { config, state, created } = await jsm().streams.add({ name, subjects: [`${name}.>`] });
    const expected = {
      name,
      subjects: [`${name}.>`],
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
      duplicate_window: 120 * SECOND_NS,
      allow_direct: false,
      deny_delete: false,
      deny_purge: false,
      allow_rollup_hdrs: false,
    };
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(config[field as keyof typeof config], value, field);
    assert.equal(state.messages, 0);
    assert.equal(state.bytes, 0);
    assert.equal(state.first_seq, 0);
    assert.equal(state.last_seq, 0);
    assert.equal(state.first_ts, '0001-01-01T00:00:00Z');
    assert.equal(state.consumer_count, 0);
    assert.ok(Math.abs(Date.now() - Date.parse(created)) < 60_000, created);
  });

  test('create keeps the requested configuration', async () => {
    const asked = {
      description: 'all of it',
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.Memory,
      max_consumers: 7,
      max_msgs: 100,
      max_bytes: 1_000_000,
      max_age: 60 * SECOND_NS,
      max_msgs_per_subject: 3,
      max_msg_size: 1000,
      discard: DiscardPolicy.New,
      discard_new_per_subject: true,
      duplicate_window: 2 * SECOND_NS,
      allow_direct: true,
      allow_rollup_hdrs: true,
    };
    const config = await addStream({ ...asked, metadata: { owner: 'tests' } });
    for (const [field, value] of Object.entries(asked))
      assert.deepEqual(config[field as keyof typeof config], value, field);
    assert.equal(config.metadata?.['owner'], 'tests');
    const { config: again } = await jsm().streams.info(config.name);
    assert.deepEqual({ ...again, metadata: 0 }, { ...config, metadata: 0 });
  });

  test('the duplicate window is never longer than the maximum age', async () => {
    const config = await addStream({ max_age: 10 * SECOND_NS });
    assert.equal(config.duplicate_window, 10 * SECOND_NS);
    const name = uniqueName('stream');
    await rejectsWithCode(
      jsm().streams.add({ name, subjects: [name], max_age: SECOND_NS, duplicate_window: 2 * SECOND_NS }),
      10052,
    );
  });

  test('a stream without subjects captures its own name', async () => {
    const name = uniqueName('stream');
    const { config } = await jsm().streams.add({ name });
    assert.deepEqual(config.subjects, [name]);
    assert.equal((await js().publish(name)).seq, 1);
  });

  test('create twice: the same is fine, another is refused', async () => {
    const config = await addStream();
    const { created } = await jsm().streams.info(config.name);
    const again = await jsm().streams.add({ name: config.name, subjects: [`${config.name}.>`] });
    assert.equal(again.created, created);
    const text = await rejectsWithCode(
      jsm().streams.add({ name: config.name, subjects: [`${config.name}.x`] }),
      10058,
    );
    assert.equal(text, 'stream name already in use with a different configuration');
  });

  test('subjects belong to one stream', async () => {
    const { name } = await addStream();
    for (const subject of [
      `${name}.a`,
      `${name}.*`,
      `${name}.>`,
      `*.${name}`.replace(`*.${name}`, `${name}.a.b`),
    ]) {
      const text = await rejectsWithCode(
        jsm().streams.add({ name: uniqueName('stream'), subjects: [subject] }),
        10065,
      );
      assert.equal(text, 'subjects overlap with an existing stream');
    }
    const other = await addStream();
    await rejectsWithCode(
      jsm().streams.update(other.name, { subjects: [`${other.name}.>`, `${name}.x`] }),
      10065,
    );
  });

  test('configurations that make no sense', async () => {
    const refuse = async (
      config: Record<string, unknown>,
      code: number,
      text: string | RegExp,
    ): Promise<void> => {
      const name = uniqueName('stream');
      const { error } = await api(`STREAM.CREATE.${name}`, { name, subjects: [`${name}.>`], ...config });
      assert.equal(error?.err_code, code, JSON.stringify({ config, error }));
      if (typeof text === 'string') assert.equal(error.description, text);
      else assert.match(error.description, text);
    };
    await refuse({ bogus: 1 }, 10025, 'invalid JSON: json: unknown field "bogus"');
    await refuse({ retention: 'bogus' }, 10025, /^invalid JSON/);
    await refuse({ name: 'other' }, 10056, 'stream name in subject does not match request');
    await refuse({ subjects: ['a..b'] }, 10052, 'invalid subject');
    await refuse({ subjects: ['twice.x', 'twice.x'] }, 10052, 'subject "twice.x" overlaps with "twice.x"');
    await refuse({ subjects: ['>'] }, 10052, 'capturing all subjects requires no-ack to be true');
    await refuse(
      { subjects: ['$JS.API.>'] },
      10052,
      'subjects that overlap with jetstream api require no-ack to be true',
    );
    await refuse({ max_age: MILLISECOND_NS }, 10052, 'max age needs to be >= 100ms');
    await refuse({ num_replicas: 3 }, 10074, 'replicas > 1 not supported in non-clustered mode');
    await refuse(
      { discard_new_per_subject: true },
      10052,
      'discard new per subject requires discard new policy to be set',
    );
    await refuse(
      { discard: 'new', discard_new_per_subject: true },
      10052,
      'discard new per subject requires max msgs per subject > 0',
    );
  });

  test('create requests that are no JSON', async () => {
    for (const body of ['{bad', 'x'])
      assert.equal((await api(`STREAM.CREATE.${uniqueName('stream')}`, body)).error?.err_code, 10025);
    assert.equal((await api(`STREAM.CREATE.${uniqueName('stream')}`)).error?.err_code, 10056);
  });

  test('update', async () => {
    const { name } = await addStream();
    await js().publish(`${name}.a`, 'kept');
    const { config, state } = await jsm().streams.update(name, {
      subjects: [`${name}.>`, name],
      max_msgs: 10,
      description: 'changed',
    });
    assert.deepEqual(config.subjects, [`${name}.>`, name]);
    assert.equal(config.max_msgs, 10);
    assert.equal(config.description, 'changed');
    assert.equal(state.messages, 1);
    assert.equal((await js().publish(name)).seq, 2);
  });

  test('update applies new limits to stored messages', async () => {
    const { name } = await addStream();
    for (let i = 0; i < 10; i += 1) await js().publish(`${name}.${i % 2}`, `${i}`);
    assert.equal((await jsm().streams.update(name, { max_msgs: 4 })).state.messages, 4);
    assert.equal(
      (await jsm().streams.update(name, { max_msgs: 4, max_msgs_per_subject: 1 })).config
        .max_msgs_per_subject,
      1,
    );
    const { state } = await jsm().streams.info(name);
    assert.equal(state.messages, 2);
    assert.equal(state.first_seq, 9);
    assert.equal(state.last_seq, 10);
  });

  test('members that an update cannot change', async () => {
    const { name, subjects } = await addStream();
    const refuse = async (config: Record<string, unknown>, text: string): Promise<void> => {
      const { error } = await api(`STREAM.UPDATE.${name}`, { name, subjects, ...config });
      assert.equal(error?.err_code, 10052);
      assert.equal(error.description, text);
    };
    await refuse({ storage: 'memory' }, 'stream configuration update can not change storage type');
    await refuse(
      { retention: 'workqueue' },
      'stream configuration update can not change retention policy to/from workqueue',
    );
    assert.equal(
      (await api(`STREAM.UPDATE.${name}`, { name, subjects, retention: 'interest' })).error,
      undefined,
    );
    assert.equal((await api('STREAM.UPDATE.nowhere', { name: 'nowhere' })).error?.err_code, 10059);
  });

  test('names and list, by subject too', async () => {
    const prefix = uniqueName('list');
    const names = ['c', 'a', 'b'].map((suffix) => `${prefix}-${suffix}`);
    for (const name of names) await addStream({ name, subjects: [`${prefix}.${name}.*`] });
    const sorted = [...names].sort();
    const mine = (all: string[]): string[] => all.filter((name) => name.startsWith(prefix));
    assert.deepEqual(mine(await collect(jsm().streams.names())), sorted);
    const listed = await collect(jsm().streams.list());
    assert.deepEqual(mine(listed.map((info) => info.config.name)), sorted);
    assert.ok(listed.every((info) => info.state && info.created));
    assert.deepEqual(await collect(jsm().streams.names(`${prefix}.${names[0]}.x`)), [names[0]]);
    assert.deepEqual(await collect(jsm().streams.names(`${prefix}.>`)), sorted);
    assert.deepEqual(await collect(jsm().streams.names(`${prefix}.none`)), []);
    assert.equal(await jsm().streams.find(`${prefix}.${names[1]}.x`), names[1]);
  });

  test('names are paged by offset', async () => {
    const prefix = uniqueName('page');
    for (const suffix of ['a', 'b', 'c'])
      await addStream({ name: `${prefix}-${suffix}`, subjects: [`${prefix}.${suffix}`] });
    const page = await api('STREAM.NAMES', { subject: `${prefix}.>`, offset: 1 });
    assert.deepEqual(page['streams'], [`${prefix}-b`, `${prefix}-c`]);
    assert.equal(page['total'], 3);
    assert.equal(page['offset'], 1);
    assert.equal(page['limit'], 1024);
    const list = await api('STREAM.LIST', { subject: `${prefix}.>`, offset: 2 });
    assert.equal((list['streams'] as unknown[]).length, 1);
    assert.equal(list['total'], 3);
    assert.equal(list['limit'], 256);
  });

  test('info counts messages, bytes and subjects', async () => {
    const { name } = await addStream();
    for (const subject of ['a', 'b', 'a']) await js().publish(`${name}.${subject}`, 'payload');
    const { state } = await jsm().streams.info(name);
    assert.equal(state.messages, 3);
    assert.ok(state.bytes >= 21, `${state.bytes}`);
    assert.equal(state.first_seq, 1);
    assert.equal(state.last_seq, 3);
    assert.equal(state.num_subjects, 2);
    assert.equal(state.subjects, undefined);
    assert.ok(Date.parse(state.first_ts) <= Date.parse(state.last_ts));
    const byFilter = await jsm().streams.info(name, { subjects_filter: `${name}.>` });
    assert.deepEqual(byFilter.state.subjects, { [`${name}.a`]: 2, [`${name}.b`]: 1 });
    const one = await jsm().streams.info(name, { subjects_filter: `${name}.b` });
    assert.deepEqual(one.state.subjects, { [`${name}.b`]: 1 });
  });

  test('delete', async () => {
    const { name } = await addStream();
    await js().publish(`${name}.a`);
    assert.equal(await jsm().streams.delete(name), true);
    assert.equal(await rejectsWithCode(jsm().streams.info(name), 10059), 'stream not found');
    await rejectsWithCode(jsm().streams.delete(name), 10059);
    await assert.rejects(nc().request(`${name}.a`, '', patient), /no responders/);
    // Its name and its subjects are free, and nothing of the old one comes back.
    await addStream({ name });
    assert.equal((await js().publish(`${name}.a`)).seq, 1);
  });

  test('deletes and purges may be forbidden', async () => {
    const { name } = await addStream({ deny_delete: true, deny_purge: true });
    await js().publish(`${name}.a`);
    assert.equal(
      await rejectsWithCode(jsm().streams.deleteMessage(name, 1), 10057),
      'message delete not permitted',
    );
    assert.equal(await rejectsWithCode(jsm().streams.purge(name), 10110), 'stream purge not permitted');
  });
});
