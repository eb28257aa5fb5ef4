import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AckPolicy,
  type ConsumeOptions,
  type Consumer,
  type ConsumerConfig,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
} from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { eventually, parallel } from '../../support/index.ts';
import { collect, patient, useNats } from './clients.ts';

describe('JetStream pull consumers', parallel, () => {
  const { nc, jsm, js, addStream, connect } = useNats();

  /** A stream with messages "1".."count" under `<name>.a`, `.b`, `.c` in turn, and a consumer of it. */
  const addConsumer = async (
    count: number,
    config: Partial<ConsumerConfig> = {},
    build: (name: string) => Partial<ConsumerConfig> = () => ({}),
  ): Promise<{ name: string; consumer: Consumer }> => {
    const { name } = await addStream();
    await Promise.all(
      Array.from({ length: count }, (_, i) => js().publish(`${name}.${'abc'[i % 3]}`, `${i + 1}`)),
    );
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      ...config,
      ...build(name),
    });
    return { name, consumer: await js().consumers.get(name, 'c') };
  };
  const fetchTexts = async (consumer: Consumer, count: number): Promise<string[]> =>
    (await collect(await consumer.fetch({ max_messages: count, expires: 10_000 }))).map((message) =>
      message.string(),
    );
  describe('fetch, next and consume', parallel, () => {
    test('fetch returns a batch as soon as it is whole', async () => {
      const { consumer } = await addConsumer(10);
      assert.deepEqual(await fetchTexts(consumer, 4), ['1', '2', '3', '4']);
      assert.deepEqual(await fetchTexts(consumer, 4), ['5', '6', '7', '8']);
    });

    test('fetch returns the available messages when its time is up', async () => {
      const { consumer } = await addConsumer(2);
      const messages = await collect(await consumer.fetch({ max_messages: 10, expires: 1000 }));
      assert.equal(messages.length, 2);
    });

    test('fetch with no messages at all', async () => {
      const { consumer } = await addConsumer(0);
      assert.deepEqual(await collect(await consumer.fetch({ max_messages: 10, expires: 1000 })), []);
    });

    test('fetch by bytes', async () => {
      const { name, consumer } = await addConsumer(0);
      for (let i = 0; i < 10; i += 1) await js().publish(`${name}.a`, 'x'.repeat(1000));
      const received: number[] = [];
      // The client reports how the server ended the request, after the messages that did fit.
      await assert.rejects(async () => {
        for await (const message of await consumer.fetch({ max_bytes: 4096, expires: 10_000 }))
          received.push(message.seq);
      }, /message size exceeds maxbytes/);
      assert.deepEqual(received, [1, 2, 3]);
    });

    test('next', async () => {
      const { name, consumer } = await addConsumer(1);
      const message = await consumer.next({ expires: 10_000 });
      assert.equal(message?.string(), '1');
      assert.equal(await consumer.next({ expires: 1000 }), null);
      const waiting = consumer.next({ expires: 30_000 });
      await js().publish(`${name}.a`, 'late');
      assert.equal((await waiting)?.string(), 'late');
    });

    test('consume delivers stored and new messages', async () => {
      const { name, consumer } = await addConsumer(50);
      const messages = await consumer.consume({ max_messages: 20 });
      const texts: string[] = [];
      for await (const message of messages) {
        texts.push(message.string());
        message.ack();
        if (texts.length === 50) for (let i = 51; i <= 80; i += 1) nc().publish(`${name}.a`, `${i}`);
        if (texts.length === 80) break;
      }
      assert.deepEqual(
        texts,
        Array.from({ length: 80 }, (_, i) => `${i + 1}`),
      );
      await messages.close();
      await eventually(async () => (await consumer.info()).num_ack_pending === 0);
    });

    test('consume with a callback, thousands of messages', async () => {
      const { consumer } = await addConsumer(3000);
      let received = 0;
      const messages = await consumer.consume({
        max_messages: 500,
        callback: (message) => {
          message.ack();
          received += 1;
        },
      });
      await eventually(() => received === 3000);
      await messages.close();
      await eventually(async () => (await consumer.info()).ack_floor.stream_seq === 3000);
    });

    test('two members share one consumer', async () => {
      const { name } = await addConsumer(0);
      await using other = await connect();
      const seen: string[][] = [[], []];
      const members = [
        await js().consumers.get(name, 'c'),
        await jetstream(other, patient).consumers.get(name, 'c'),
      ];
      const consuming = await Promise.all(
        members.map((member, i) =>
          member.consume({
            max_messages: 10,
            callback: (message) => {
              seen[i]?.push(message.string());
              message.ack();
            },
          }),
        ),
      );
      for (let i = 0; i < 200; i += 1) await js().publish(`${name}.a`, `${i}`);
      await eventually(() => (seen[0]?.length ?? 0) + (seen[1]?.length ?? 0) >= 200);
      assert.equal(new Set(seen.flat()).size, 200);
      assert.ok(
        seen.every((texts) => texts.length > 0),
        `shared ${seen[0]?.length} : ${seen[1]?.length}`,
      );
      for (const messages of consuming) await messages.close();
    });

    /** Consumes with a callback and notes the client's reports. */
    const watchConsume = async (
      consumer: Consumer,
      options: ConsumeOptions,
    ): Promise<{ messages: ConsumerMessages; statuses: string[]; received: JsMsg[] }> => {
      const received: JsMsg[] = [];
      const messages = await consumer.consume({
        ...options,
        callback: (message) => void received.push(message),
      });
      const statuses: string[] = [];
      void (async () => {
        for await (const status of messages.status()) statuses.push(status.type);
      })();
      return { messages, statuses, received };
    };

    test('consume hears that the consumer was deleted', async () => {
      const { name, consumer } = await addConsumer(1);
      const { messages, statuses, received } = await watchConsume(consumer, { expires: 30_000 });
      await eventually(() => received.length === 1);
      await jsm().consumers.delete(name, 'c');
      await eventually(() => statuses.includes('consumer_deleted'));
      await messages.close();
    });

    test('heartbeats keep an idle consume alive', async () => {
      const { consumer } = await addConsumer(0);
      const { messages, statuses } = await watchConsume(consumer, { expires: 6000, idle_heartbeat: 1000 });
      await eventually(() => statuses.filter((status) => status === 'heartbeat').length >= 2);
      assert.ok(!statuses.includes('heartbeats_missed'), statuses.join(', '));
      await messages.close();
    });

    test('fetch beyond the limits of the consumer', async () => {
      const { consumer } = await addConsumer(3, { max_batch: 2 });
      await assert.rejects(
        collect(await consumer.fetch({ max_messages: 5, expires: 1000 })),
        /Exceeded MaxRequestBatch of 2/i,
      );
    });
  });

  describe('deliver policies', parallel, () => {
    const deliver = async (
      config: Partial<ConsumerConfig>,
      count: number,
      build?: (name: string) => Partial<ConsumerConfig>,
    ): Promise<string[]> => {
      const { consumer } = await addConsumer(9, config, build);
      const { num_pending: pending } = await consumer.info();
      assert.equal(pending, count);
      return fetchTexts(consumer, count);
    };

    test('all', async () =>
      assert.deepEqual(await deliver({ deliver_policy: DeliverPolicy.All }, 9), [
        '1',
        '2',
        '3',
        '4',
        '5',
        '6',
        '7',
        '8',
        '9',
      ]));
    test('last', async () =>
      assert.deepEqual(await deliver({ deliver_policy: DeliverPolicy.Last }, 1), ['9']));
    test('last of a subject', async () =>
      assert.deepEqual(
        await deliver({ deliver_policy: DeliverPolicy.Last }, 1, (name) => ({ filter_subject: `${name}.a` })),
        ['7'],
      ));
    test('by start sequence', async () =>
      assert.deepEqual(await deliver({ deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 7 }, 3), [
        '7',
        '8',
        '9',
      ]));
    test('last per subject', async () =>
      assert.deepEqual(
        await deliver({ deliver_policy: DeliverPolicy.LastPerSubject }, 3, (name) => ({
          filter_subject: `${name}.*`,
        })),
        ['7', '8', '9'],
      ));

    test('new', async () => {
      const { name, consumer } = await addConsumer(5, { deliver_policy: DeliverPolicy.New });
      await js().publish(`${name}.a`, 'after');
      assert.deepEqual(await fetchTexts(consumer, 1), ['after']);
    });

    test('by start time', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, 'before');
      const { time } = (await jsm().streams.getMessage(name, { seq: 1 })) ?? assert.fail('not stored');
      // The start lies after the first message, on any clock.
      const start = new Date(time.getTime() + 2);
      await eventually(() => Date.now() > start.getTime() + 2);
      await js().publish(`${name}.a`, 'after');
      await jsm().consumers.add(name, {
        durable_name: 'c',
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: start.toISOString(),
      });
      assert.deepEqual(await fetchTexts(await js().consumers.get(name, 'c'), 1), ['after']);
    });

    test('filter subjects', async () => {
      assert.deepEqual(await deliver({}, 3, (name) => ({ filter_subject: `${name}.b` })), ['2', '5', '8']);
      assert.deepEqual(await deliver({}, 6, (name) => ({ filter_subjects: [`${name}.a`, `${name}.c`] })), [
        '1',
        '3',
        '4',
        '6',
        '7',
        '9',
      ]);
    });

    test('deleted messages are passed over', async () => {
      const { name } = await addConsumer(6);
      for (const seq of [1, 3, 4]) await jsm().streams.deleteMessage(name, seq);
      assert.deepEqual(await fetchTexts(await js().consumers.get(name, 'c'), 3), ['2', '5', '6']);
    });
  });

  describe('the fields of a message', parallel, () => {
    test('its place, its count and the number pending', async () => {
      const { name, consumer } = await addConsumer(3);
      const [first, second] = await collect(await consumer.fetch({ max_messages: 2 }));
      assert.equal(first?.info.stream, name);
      assert.equal(first.info.consumer, 'c');
      assert.equal(first.info.streamSequence, 1);
      assert.equal(first.info.deliverySequence, 1);
      assert.equal(first.info.deliveryCount, 1);
      assert.equal(first.info.redelivered, false);
      assert.equal(first.info.pending, 2);
      assert.equal(second?.info.pending, 1);
      assert.equal(second.subject, `${name}.b`);
      assert.ok(Math.abs(Date.now() - first.time.getTime()) < 60_000);
      const stored = await jsm().streams.getMessage(name, { seq: 1 });
      assert.equal(stored?.time.getTime(), first.time.getTime());
    });

    test('headers and bytes', async () => {
      const { name, consumer } = await addConsumer(0);
      const sent = headers();
      sent.append('K', '1');
      sent.append('K', '2');
      await js().publish(`${name}.a`, Uint8Array.of(0, 13, 10, 255), { headers: sent, msgID: 'id' });
      const message = await consumer.next({ expires: 10_000 });
      assert.deepEqual(message?.headers?.values('K'), ['1', '2']);
      assert.equal(message?.headers?.get('Nats-Msg-Id'), 'id');
      assert.deepEqual([...(message?.data ?? [])], [0, 13, 10, 255]);
    });

    test('headers only', async () => {
      const { name, consumer } = await addConsumer(0, { headers_only: true });
      const sent = headers();
      sent.set('K', 'v');
      await js().publish(`${name}.a`, 'payload', { headers: sent });
      const message = await consumer.next({ expires: 10_000 });
      assert.equal(message?.data.length, 0);
      assert.equal(message?.headers?.get('K'), 'v');
      assert.equal(message?.headers?.get('Nats-Msg-Size'), '7');
    });
  });
});
