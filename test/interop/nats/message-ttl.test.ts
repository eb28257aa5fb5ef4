/**
 * Times to live of messages and delete markers (ADR-43), on our server and, where there is one, on
 * nats-server.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, headers, nanos, type NatsConnection } from '@nats-io/transport-node';
import { comparedPath, eventually, parallel, startServer, type ServerKind } from '../../support/index.ts';

const kinds: readonly ServerKind[] =
  comparedPath === undefined ? ['pillarbox'] : ['pillarbox', 'nats-server'];

async function onServer(kind: ServerKind, work: (nc: NatsConnection) => Promise<void>): Promise<void> {
  await using server = await startServer({ kind });
  const nc = await connect({ servers: server.natsAddress });
  try {
    await work(nc);
  } finally {
    await nc.close();
  }
}

interface Shown {
  readonly subject: string;
  readonly value: string;
  readonly headers: readonly string[];
}

/** The messages of a stream, by sequence. */
async function messagesOf(jsm: JetStreamManager, stream: string): Promise<{ [seq: number]: Shown }> {
  const { state } = await jsm.streams.info(stream);
  const shown: { [seq: number]: Shown } = {};
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage(stream, { seq }).catch(() => null);
    if (message === null) continue;
    const lines = [...message.header].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
    shown[seq] = { subject: message.subject, value: message.string(), headers: lines.sort() };
  }
  return shown;
}

function header(fields: { readonly [name: string]: string }): ReturnType<typeof headers> {
  const made = headers();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

for (const kind of kinds) {
  describe(`times to live on ${kind}`, parallel, () => {
    test('a message goes after its TTL, wherever it stands; "never" outlives max_age', async () => {
      await onServer(kind, async (nc) => {
        const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
        const config = { name: 'S', subjects: ['s.>'], max_age: nanos(2000), duplicate_window: nanos(1000) };
        await jsm.streams.add({ ...config, allow_msg_ttl: true });
        for (const [at, ttl] of ['', 'never', '1s', '1', '1h', '1500ms'].entries())
          await js.publish(`s.${at}`, ttl, ttl === '' ? {} : { headers: header({ 'Nats-TTL': ttl }) });
        const left = async (): Promise<string> => Object.keys(await messagesOf(jsm, 'S')).join();
        assert.equal(await left(), '1,2,3,4,5,6');
        await eventually(async () => (await left()) === '1,2,5');
        await eventually(async () => (await left()) === '2');
      });
    });

    test('what is no TTL is refused, and any TTL where the stream has none', async () => {
      await onServer(kind, async (nc) => {
        const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
        await jsm.streams.add({ name: 'T', subjects: ['t'], allow_msg_ttl: true });
        await jsm.streams.add({ name: 'U', subjects: ['u'] });
        const answer = async (subject: string, ttl: string): Promise<string> => {
          try {
            await js.publish(subject, '', { headers: header({ 'Nats-TTL': ttl }) });
            return 'stored';
          } catch (error) {
            return `${(error as { code?: number }).code} ${(error as Error).message}`;
          }
        };
        for (const ttl of ['1ms', '999ms', 'soon', '-1', '-5s', '1.5', '0'])
          assert.equal(await answer('t', ttl), '10165 invalid per-message TTL', ttl);
        for (const ttl of ['Never', '1s', '00', '2m30s']) assert.equal(await answer('t', ttl), 'stored', ttl);
        for (const ttl of ['never', '1s', '60'])
          assert.equal(await answer('u', ttl), '10166 per-message TTL is disabled', ttl);
      });
    });

    test('the last message of a subject leaves a marker, which expires without another', async () => {
      await onServer(kind, async (nc) => {
        const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
        const { config } = await jsm.streams.add({
          name: 'M',
          subjects: ['m.>'],
          subject_delete_marker_ttl: nanos(1000),
        });
        const shown = config as unknown as { [name: string]: unknown };
        assert.deepEqual(
          ['allow_msg_ttl', 'allow_rollup_hdrs', 'deny_purge', 'subject_delete_marker_ttl'].map(
            (name) => shown[name],
          ),
          [true, true, false, 1e9],
        );
        const publish = (subject: string, value: string, ttl?: string): Promise<unknown> =>
          js.publish(subject, value, ttl === undefined ? {} : { headers: header({ 'Nats-TTL': ttl }) });
        await publish('m.a', 'one', '1s');
        await publish('m.b', 'kept');
        await publish('m.b', 'short', '1s');
        const marker = {
          subject: 'm.a',
          value: '',
          headers: ['Nats-Marker-Reason: MaxAge', 'Nats-Rollup: sub', 'Nats-TTL: 1s'],
        };
        await eventually(async () => (await messagesOf(jsm, 'M'))[4] !== undefined);
        assert.deepEqual(await messagesOf(jsm, 'M').then((all) => all[4]), marker);
        await eventually(async () => Object.keys(await messagesOf(jsm, 'M')).join() === '2');
      });
    });

    test('a TTL below that of the markers is raised to it, and the header says so', async () => {
      await onServer(kind, async (nc) => {
        const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
        for (const [name, perSubject] of [
          ['R', -1],
          ['Q', 1],
        ] as const) {
          await jsm.streams.add({
            name,
            subjects: [`${name}.>`],
            max_msgs_per_subject: perSubject,
            subject_delete_marker_ttl: nanos(5000),
          });
          await js.publish(`${name}.a`, '', { headers: header({ 'Nats-TTL': '2s', Own: 'x' }) });
        }
        assert.deepEqual((await messagesOf(jsm, 'R'))[1]?.headers, ['Nats-TTL: 5', 'Own: x']);
        assert.deepEqual((await messagesOf(jsm, 'Q'))[1]?.headers, ['Nats-TTL: 2s', 'Own: x']);
      });
    });

    test('a roll-up with a TTL replaces, and expires', async () => {
      await onServer(kind, async (nc) => {
        const [js, jsm] = [jetstream(nc), await jetstreamManager(nc)];
        const flags = { allow_msg_ttl: true, allow_rollup_hdrs: true };
        await jsm.streams.add({ name: 'L', subjects: ['l.>'], ...flags });
        for (const value of ['1', '2']) await js.publish('l.a', value);
        await js.publish('l.a', '3', { headers: header({ 'Nats-TTL': '1s', 'Nats-Rollup': 'sub' }) });
        assert.equal((await jsm.streams.info('L')).state.messages, 1);
        await eventually(async () => (await jsm.streams.info('L')).state.messages === 0);
      });
    });

    test('a bucket with markers: a key expires, and watchers hear of it', async () => {
      await onServer(kind, async (nc) => {
        const kv = await new Kvm(jetstream(nc)).create('B', { markerTTL: 1000, history: 5 });
        const status = await kv.status();
        assert.equal(status.markerTTL, 1000);
        const heard: string[] = [];
        const watch = await kv.watch();
        const listening = (async () => {
          for await (const { key, operation } of watch) heard.push(`${key} ${operation}`);
        })();
        await kv.create('a', 'one', '1s');
        await kv.put('b', 'stays');
        assert.equal((await kv.get('a'))?.string(), 'one');
        await eventually(() => heard.length === 3);
        assert.deepEqual(heard, ['a PUT', 'b PUT', 'a PURGE']);
        assert.notEqual((await kv.get('a'))?.operation, 'PUT');
        assert.ok((await kv.create('a', 'again')) > 3);
        watch.stop();
        await listening;
      });
    });
  });
}
