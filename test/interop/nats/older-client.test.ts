/** The `nats` package: the generation before @nats-io, with its own ways to subscribe. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  AckPolicy,
  type ConsumerOptsBuilder,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type Msg,
  type NatsConnection,
  NatsError,
  RetentionPolicy,
  StorageType,
  connect,
  consumerOpts,
  createInbox,
  headers,
} from 'nats';
import { eventually, parallel, uniqueName, useServer } from '../../support/index.ts';
import { collect, patient, take } from './clients.ts';

describe('the older nats package', parallel, () => {
  let nc: NatsConnection;
  let js: JetStreamClient;
  let jsm: JetStreamManager;
  // Before the server: hooks run in the order of their registration.
  after(async () => {
    await nc?.close();
  });
  const server = useServer();
  before(async () => {
    nc = await connect({ servers: server().natsAddress });
    js = nc.jetstream(patient);
    jsm = await nc.jetstreamManager(patient);
  });

  const addStream = async (config: object = {}): Promise<string> => {
    const name = uniqueName('stream');
    await jsm.streams.add({ name, subjects: [`${name}.>`], ...config });
    return name;
  };
  const publishMany = async (name: string, count: number): Promise<void> => {
    for (let i = 1; i <= count; i += 1) await js.publish(`${name}.a`, `${i}`);
  };
  const texts = (messages: readonly (Msg | JsMsg)[]): string[] => messages.map((message) => message.string());
  const failsWith = (promise: Promise<unknown>, code: number): Promise<void> =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof NatsError);
      assert.equal(error.api_error?.err_code, code, error.message);
      return true;
    });

  describe('core', parallel, () => {
    test('publish, subscribe, queue groups, headers', async () => {
      const subject = uniqueName('core');
      const subscription = nc.subscribe(`${subject}.*`, { max: 2 });
      const queues = [
        nc.subscribe(`${subject}.>`, { queue: 'q' }),
        nc.subscribe(`${subject}.>`, { queue: 'q' }),
      ];
      const sent = headers();
      sent.append('K', '1');
      sent.append('K', '2');
      nc.publish(`${subject}.a`, 'one', { headers: sent });
      nc.publish(`${subject}.b`, 'two');
      await nc.flush();
      const [first, second] = await collect(subscription);
      assert.deepEqual(first?.headers?.values('K'), ['1', '2']);
      assert.equal(second?.string(), 'two');
      assert.equal((queues[0]?.getReceived() ?? 0) + (queues[1]?.getReceived() ?? 0), 2);
    });

    test('request and reply, and no responder', async () => {
      const subject = uniqueName('core');
      nc.subscribe(subject, { callback: (_, message) => void message.respond(message.data) });
      assert.equal((await nc.request(subject, 'echo', patient)).string(), 'echo');
      await assert.rejects(
        nc.request(uniqueName('nobody'), '', patient),
        (error) => error instanceof NatsError && error.code === '503',
      );
    });

    test('drain', async () => {
      const subject = uniqueName('core');
      const subscription = nc.subscribe(subject, { max: 200 });
      await nc.flush();
      const other = await connect({ servers: server().natsAddress });
      for (let i = 0; i < 200; i += 1) other.publish(subject);
      await other.drain();
      assert.equal((await collect(subscription)).length, 200);
    });
  });

  describe('streams and publish', parallel, () => {
    test('create, info, update, names, purge, delete', async () => {
      const name = await addStream({ storage: StorageType.File });
      await publishMany(name, 3);
      assert.equal((await jsm.streams.info(name)).state.messages, 3);
      assert.equal((await jsm.streams.update(name, { max_msgs: 2 })).state.messages, 2);
      assert.ok((await collect(jsm.streams.names())).includes(name));
      assert.equal((await jsm.streams.getMessage(name, { last_by_subj: `${name}.a` })).string(), '3');
      assert.equal((await jsm.streams.purge(name)).purged, 2);
      assert.equal(await jsm.streams.delete(name), true);
      await failsWith(jsm.streams.info(name), 10059);
    });

    test('acks, duplicates, expectations', async () => {
      const name = await addStream();
      assert.deepEqual(await js.publish(`${name}.a`, '', { msgID: 'id' }), {
        stream: name,
        seq: 1,
        duplicate: false,
      });
      assert.equal((await js.publish(`${name}.a`, '', { msgID: 'id' })).duplicate, true);
      await failsWith(js.publish(`${name}.a`, '', { expect: { lastSequence: 7 } }), 10071);
      await failsWith(js.publish(`${name}.a`, '', { expect: { streamName: 'other' } }), 10060);
      await failsWith(js.publish(`${name}.a`, '', { expect: { lastMsgID: 'other' } }), 10070);
      await assert.rejects(
        js.publish(uniqueName('nobody')),
        (error) => error instanceof NatsError && error.code === '503',
      );
    });
  });

  describe('consumers', parallel, () => {
    const options = (build: (builder: ConsumerOptsBuilder) => void): ConsumerOptsBuilder => {
      const builder = consumerOpts();
      build(builder);
      return builder;
    };

    test('pull one, fetch many', async () => {
      const name = await addStream();
      await publishMany(name, 5);
      await jsm.consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
      const first = await js.pull(name, 'c');
      assert.equal(first.string(), '1');
      first.ack();
      const rest = await collect(js.fetch(name, 'c', { batch: 4, expires: 5000 }));
      assert.deepEqual(texts(rest), ['2', '3', '4', '5']);
      for (const message of rest) assert.equal(await message.ackAck(), true);
      await assert.rejects(js.pull(name, 'c'), /no messages/);
      assert.deepEqual(await collect(js.fetch(name, 'c', { batch: 4, no_wait: true })), []);
    });

    test('pull subscribe', async () => {
      const name = await addStream();
      const subscription = await js.pullSubscribe(
        `${name}.a`,
        options((builder) => builder.durable('c').ackExplicit().manualAck().deliverAll()),
      );
      await publishMany(name, 4);
      subscription.pull({ batch: 4, expires: 5000 });
      const messages = await take(subscription, 4);
      assert.deepEqual(texts(messages), ['1', '2', '3', '4']);
    });

    test('push subscribe with a durable and manual acks', async () => {
      const name = await addStream();
      await publishMany(name, 3);
      const received: JsMsg[] = [];
      const subscription = await js.subscribe(
        `${name}.>`,
        options((builder) =>
          builder
            .durable('c')
            .deliverTo(createInbox())
            .ackExplicit()
            .manualAck()
            .maxAckPending(2)
            .callback((_, message) => void (message && received.push(message))),
        ),
      );
      await eventually(() => received.length === 2);
      received[0]?.ack();
      await eventually(() => received.length === 3);
      assert.deepEqual(texts(received), ['1', '2', '3']);
      assert.equal((await subscription.consumerInfo()).num_ack_pending, 2);
      await subscription.destroy();
      await failsWith(jsm.consumers.info(name, 'c'), 10014);
    });

    test('push subscribe with a queue', async () => {
      const name = await addStream();
      let count = 0;
      const callback = (_: NatsError | null, message: JsMsg | null): void => {
        count += 1;
        message?.ack();
      };
      const inbox = createInbox();
      for (let member = 0; member < 2; member += 1) {
        await js.subscribe(
          `${name}.>`,
          options((builder) =>
            builder
              .durable('c')
              .queue('workers')
              .deliverTo(inbox)
              .ackExplicit()
              .manualAck()
              .callback(callback),
          ),
        );
      }
      await publishMany(name, 50);
      await eventually(
        async () => count === 50 && (await jsm.consumers.info(name, 'c')).ack_floor.stream_seq === 50,
      );
    });

    test('ordered push consumer', async () => {
      const name = await addStream();
      await publishMany(name, 100);
      const subscription = await js.subscribe(
        `${name}.>`,
        options((builder) => builder.orderedConsumer()),
      );
      const messages = await take(subscription, 100);
      assert.deepEqual(
        texts(messages),
        Array.from({ length: 100 }, (_, i) => `${i + 1}`),
      );
    });

    test('nak, working, term, redelivery', async () => {
      const name = await addStream({ retention: RetentionPolicy.Workqueue });
      await publishMany(name, 2);
      await jsm.consumers.add(name, {
        durable_name: 'c',
        ack_policy: AckPolicy.Explicit,
        ack_wait: 30_000_000_000,
      });
      const consumer = await js.consumers.get(name, 'c');
      const [first, second] = await collect(await consumer.fetch({ max_messages: 2 }));
      first?.working();
      first?.nak();
      second?.term();
      const again = await consumer.next({ expires: 10_000 });
      assert.equal(again?.info.redeliveryCount, 2);
      assert.equal(again.string(), '1');
      await again.ackAck();
      await eventually(async () => (await jsm.streams.info(name)).state.messages === 0);
    });

    test('consume', async () => {
      const name = await addStream();
      await publishMany(name, 100);
      await jsm.consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
      const messages = await (await js.consumers.get(name, 'c')).consume({ max_messages: 20 });
      let count = 0;
      for await (const message of messages) {
        message.ack();
        count += 1;
        if (count === 100) break;
      }
    });
  });

  describe('views', parallel, () => {
    test('key-value', async () => {
      const kv = await js.views.kv(uniqueName('bucket'), { history: 3 });
      assert.equal(await kv.create('a', '1'), 1);
      await failsWith(kv.create('a', '2'), 10071);
      assert.equal(await kv.update('a', '2', 1), 2);
      await failsWith(kv.update('a', '3', 1), 10071);
      await kv.put('b.c', 'x');
      assert.equal((await kv.get('a'))?.string(), '2');
      assert.deepEqual((await collect(await kv.keys())).sort(), ['a', 'b.c']);
      const watch = await kv.watch({ key: 'a' });
      assert.equal((await take(watch, 1))[0]?.string(), '2');
      await kv.delete('a');
      assert.equal((await kv.get('a'))?.operation, 'DEL');
      assert.deepEqual(
        (await collect(await kv.history({ key: 'a' }))).map((entry) => entry.operation),
        ['PUT', 'PUT', 'DEL'],
      );
      await kv.purge('a');
      assert.equal((await collect(await kv.history({ key: 'a' }))).length, 1);
      assert.equal((await kv.status()).history, 3);
    });

    test('objects: chunks, digest, replace, list, delete', async () => {
      const bucket = uniqueName('objects');
      const os = await js.views.os(bucket);
      const blob = (size: number, factor: number): Uint8Array =>
        Uint8Array.from({ length: size }, (_, i) => (i * factor) & 0xff);
      const info = await os.putBlob(
        { name: 'big file.bin', options: { max_chunk_size: 64 * 1024 } },
        blob(1_000_000, 7),
      );
      assert.equal(info.size, 1_000_000);
      assert.equal(info.chunks, 16);
      assert.ok(
        Buffer.from(blob(1_000_000, 7)).equals((await os.getBlob('big file.bin')) ?? Buffer.alloc(0)),
      );
      await os.putBlob({ name: 'big file.bin' }, blob(1000, 3));
      assert.ok(Buffer.from(blob(1000, 3)).equals((await os.getBlob('big file.bin')) ?? Buffer.alloc(0)));
      await os.putBlob({ name: 'other' }, blob(0, 1));
      assert.deepEqual((await os.list()).map((item) => item.name).sort(), ['big file.bin', 'other']);
      // The chunks of the replaced object are purged: one chunk and two descriptions are left.
      assert.equal((await jsm.streams.info(`OBJ_${bucket}`)).state.messages, 3);
      await os.delete('big file.bin');
      assert.equal((await os.info('big file.bin'))?.deleted, true);
      assert.equal(await os.get('big file.bin'), null);
      assert.equal(await os.destroy(), true);
    });
  });
});
