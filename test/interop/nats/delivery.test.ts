import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  type ConsumerInfo,
  type JsMsg,
  RetentionPolicy,
  jetstream,
} from '@nats-io/jetstream';
import { createInbox } from '@nats-io/transport-node';
import { eventually, parallel } from '../../support/index.ts';
import { MILLISECOND_NS, SECOND_NS, collect, patient, useNats } from './clients.ts';

/** The subject that acknowledges a message: the client keeps it to itself. */
const replyOf = (message: JsMsg | undefined): string => (message as unknown as { reply: string }).reply;

/** Long enough never to pass within a test. */
const NEVER_NS = 3600 * SECOND_NS;

describe('JetStream acks and redelivery', parallel, () => {
  const { nc, jsm, js, addStream, connect } = useNats();

  interface Setup {
    readonly name: string;
    readonly consumer: Consumer;
    readonly readInfo: () => Promise<ConsumerInfo>;
    /** The next message; fails the test when none comes. */
    readonly next: () => Promise<JsMsg>;
    /** Asserts that nothing is delivered for a second: the shortest that the client allows. */
    readonly expectNothing: () => Promise<void>;
  }

  const setUp = async (
    count: number,
    config: Partial<ConsumerConfig> = {},
    stream: Parameters<typeof addStream>[0] = {},
  ): Promise<Setup> => {
    const { name } = await addStream(stream);
    for (let i = 1; i <= count; i += 1) await js().publish(`${name}.a`, `${i}`);
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      ack_wait: NEVER_NS,
      ...config,
    });
    const consumer = await js().consumers.get(name, 'c');
    return {
      name,
      consumer,
      readInfo: () => jsm().consumers.info(name, 'c'),
      next: async () => (await consumer.next({ expires: 20_000 })) ?? assert.fail('no message came'),
      expectNothing: async () => assert.equal((await consumer.next({ expires: 1000 }))?.string(), undefined),
    };
  };

  /** Collects the advisories of one kind about a consumer. */
  const watchAdvisories = (kind: string, stream: string): Record<string, unknown>[] => {
    const seen: Record<string, unknown>[] = [];
    nc().subscribe(`$JS.EVENT.ADVISORY.CONSUMER.${kind}.${stream}.c`, {
      callback: (_, message) => void seen.push(message.json()),
    });
    return seen;
  };

  describe('acks', parallel, () => {
    test('an acked message is done', async () => {
      const { next, readInfo, expectNothing } = await setUp(2, { ack_wait: 200 * MILLISECOND_NS });
      assert.equal(await (await next()).ackAck(), true);
      assert.equal(await (await next()).ackAck(), true);
      const info = await readInfo();
      assert.equal(info.num_ack_pending, 0);
      assert.equal(info.num_redelivered, 0);
      assert.equal(info.ack_floor.stream_seq, 2);
      assert.equal(info.ack_floor.consumer_seq, 2);
      await expectNothing();
    });

    test('the floor moves over acks without gaps', async () => {
      const { consumer, readInfo } = await setUp(4);
      const messages = await collect(await consumer.fetch({ max_messages: 4 }));
      const floors: number[] = [];
      for (const index of [1, 3, 0, 2]) {
        await messages[index]?.ackAck();
        floors.push((await readInfo()).ack_floor.stream_seq);
      }
      assert.deepEqual(floors, [0, 0, 2, 4]);
      assert.equal((await readInfo()).delivered.stream_seq, 4);
    });

    test('an ack with a reply is answered, also the second time', async () => {
      const { next } = await setUp(1);
      const message = await next();
      const reply = replyOf(message);
      assert.equal((await nc().request(reply, '+ACK', patient)).data.length, 0);
      assert.equal((await nc().request(reply, '+ACK', patient)).data.length, 0);
      assert.equal((await nc().request(reply, '', patient)).data.length, 0);
    });

    test('every way to say ack', async () => {
      const { consumer, readInfo } = await setUp(3);
      const messages = await collect(await consumer.fetch({ max_messages: 3 }));
      for (const [i, body] of ['', '+ACK', '+OK'].entries()) nc().publish(replyOf(messages[i]), body);
      await eventually(async () => (await readInfo()).ack_floor.stream_seq === 3);
    });

    test('an answer that is no ack changes nothing', async () => {
      const { next, readInfo } = await setUp(1);
      const message = await next();
      await nc().request(replyOf(message), '+BOGUS', patient);
      assert.equal((await readInfo()).num_ack_pending, 1);
      await message.ackAck();
      assert.equal((await readInfo()).num_ack_pending, 0);
    });

    test('the ack subject names stream, consumer, counts, sequences, time and the number pending', async () => {
      const { name, next } = await setUp(2);
      const message = await next();
      const tokens = replyOf(message).split('.');
      assert.deepEqual(tokens.slice(0, 4), ['$JS', 'ACK', name, 'c']);
      assert.deepEqual(tokens.slice(4, 7), ['1', '1', '1']);
      assert.equal(BigInt(tokens[7] ?? 0), message.timestampNanos);
      assert.equal(tokens[8], '1');
      assert.equal(tokens.length, 9);
    });

    test('ack policy all: an ack covers everything before it', async () => {
      const { consumer, readInfo } = await setUp(5, { ack_policy: AckPolicy.All });
      const messages = await collect(await consumer.fetch({ max_messages: 5 }));
      await messages[3]?.ackAck();
      const info = await readInfo();
      assert.equal(info.ack_floor.stream_seq, 4);
      assert.equal(info.num_ack_pending, 1);
    });

    test('ack policy none: delivered is done', async () => {
      const { consumer, readInfo, expectNothing } = await setUp(3, {
        ack_policy: AckPolicy.None,
        ack_wait: 0,
      });
      await collect(await consumer.fetch({ max_messages: 3 }));
      assert.equal((await readInfo()).num_ack_pending, 0);
      await expectNothing();
    });

    test('term: never again, and an advisory says why', async () => {
      const { name, next, readInfo, expectNothing } = await setUp(1, { ack_wait: 200 * MILLISECOND_NS });
      const advisories = watchAdvisories('MSG_TERMINATED', name);
      (await next()).term('broken for good');
      await eventually(() => advisories.length === 1);
      const { type, stream, consumer, stream_seq, consumer_seq, deliveries, reason } = advisories[0] ?? {};
      assert.deepEqual(
        { type, stream, consumer, stream_seq, consumer_seq, deliveries, reason },
        {
          type: 'io.nats.jetstream.advisory.v1.terminated',
          stream: name,
          consumer: 'c',
          stream_seq: 1,
          consumer_seq: 1,
          deliveries: 1,
          reason: 'broken for good',
        },
      );
      await expectNothing();
      assert.equal((await readInfo()).num_ack_pending, 0);
      assert.equal((await jsm().streams.info(name)).state.messages, 1);
    });

    test('ack and next in one', async () => {
      const { next, readInfo } = await setUp(2);
      const message = await next();
      const subscription = nc().subscribe(createInbox(), { max: 1 });
      nc().publish(replyOf(message), '+NXT', {
        reply: subscription.getSubject(),
      });
      const [second] = await collect(subscription);
      assert.equal(second?.string(), '2');
      assert.equal((await readInfo()).ack_floor.stream_seq, 1);
    });

    test('a metric for each ack, where a sample is asked for', async () => {
      const { name, next } = await setUp(1, { sample_freq: '100' });
      const subscription = nc().subscribe(`$JS.EVENT.METRIC.CONSUMER.ACK.${name}.c`, { max: 1 });
      (await next()).ack();
      const [metric] = await collect(subscription);
      const { type, stream_seq, deliveries } = metric?.json<Record<string, unknown>>() ?? {};
      assert.deepEqual(
        { type, stream_seq, deliveries },
        { type: 'io.nats.jetstream.metric.v1.consumer_ack', stream_seq: 1, deliveries: 1 },
      );
    });
  });

  describe('redelivery', parallel, () => {
    test('nak: again at once, counted', async () => {
      const { name, next, readInfo } = await setUp(1);
      const advisories = watchAdvisories('MSG_NAKED', name);
      const first = await next();
      first.nak();
      const second = await next();
      assert.equal(second.string(), '1');
      assert.equal(second.redelivered, true);
      assert.equal(second.info.deliveryCount, 2);
      assert.equal(second.info.streamSequence, 1);
      assert.equal(second.info.deliverySequence, 2);
      const info = await readInfo();
      assert.equal(info.num_redelivered, 1);
      assert.equal(info.num_ack_pending, 1);
      assert.equal(info.delivered.consumer_seq, 2);
      await eventually(() => advisories.length === 1);
      assert.equal(advisories[0]?.['type'], 'io.nats.jetstream.advisory.v1.nak');
      assert.equal(advisories[0]?.['stream_seq'], 1);
      assert.equal(advisories[0]?.['deliveries'], 1);
    });

    test('a naked message goes before those that were never delivered', async () => {
      const { next } = await setUp(3);
      // With a reply, which comes when the nak has been taken.
      await nc().request(replyOf(await next()), '-NAK', patient);
      const order = [(await next()).string(), (await next()).string(), (await next()).string()];
      assert.deepEqual(order, ['1', '2', '3']);
    });

    test('nak with a delay: others go first', async () => {
      const { next } = await setUp(2);
      (await next()).nak(2000);
      assert.equal((await next()).string(), '2');
      const again = await next();
      assert.equal(again.string(), '1');
      assert.equal(again.info.deliveryCount, 2);
    });

    test('not acked within ack_wait: again', async () => {
      const { next, readInfo } = await setUp(1, { ack_wait: 300 * MILLISECOND_NS });
      assert.equal((await next()).info.deliveryCount, 1);
      const again = await next();
      assert.equal(again.info.deliveryCount, 2);
      await again.ackAck();
      assert.equal((await readInfo()).num_ack_pending, 0);
    });

    test('an ack for an earlier delivery counts', async () => {
      const { next, readInfo, expectNothing } = await setUp(1, { ack_wait: 300 * MILLISECOND_NS });
      const first = await next();
      await next();
      assert.equal(await first.ackAck(), true);
      assert.equal((await readInfo()).num_ack_pending, 0);
      await expectNothing();
    });

    test('working: the deadline starts anew', async () => {
      const { next, readInfo } = await setUp(1, { ack_wait: 2 * SECOND_NS });
      const message = await next();
      const started = Date.now();
      // More than twice the deadline, during which the message stays with its consumer.
      while (Date.now() - started < 5000) {
        message.working();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal((await readInfo()).num_redelivered, 0);
      assert.equal((await readInfo()).num_ack_pending, 1);
      assert.equal((await next()).info.deliveryCount, 2);
    });

    test('backoff: each redelivery has its own deadline', async () => {
      const { next } = await setUp(1, {
        backoff: [200, 400, 600].map((ms) => ms * MILLISECOND_NS),
        max_deliver: 4,
      });
      for (let delivery = 1; delivery <= 4; delivery += 1)
        assert.equal((await next()).info.deliveryCount, delivery);
    });

    test('max_deliver: then no more, with an advisory', async () => {
      const { name, next, readInfo, expectNothing } = await setUp(2, {
        ack_wait: 300 * MILLISECOND_NS,
        max_deliver: 2,
      });
      const advisories = watchAdvisories('MAX_DELIVERIES', name);
      const seen: string[] = [];
      for (let i = 0; i < 4; i += 1) seen.push((await next()).string());
      assert.deepEqual(seen.sort(), ['1', '1', '2', '2']);
      // A request of the consumer makes the broker check it.
      await eventually(async () => {
        await expectNothing();
        return advisories.length === 2;
      });
      for (const advisory of advisories) {
        assert.equal(advisory['type'], 'io.nats.jetstream.advisory.v1.max_deliver');
        assert.equal(advisory['stream'], name);
        assert.equal(advisory['consumer'], 'c');
        assert.equal(advisory['deliveries'], 2);
      }
      assert.deepEqual(new Set(advisories.map((advisory) => advisory['stream_seq'])), new Set([1, 2]));
      assert.equal((await readInfo()).num_ack_pending, 0);
      assert.equal((await jsm().streams.info(name)).state.messages, 2);
    });

    test('max_deliver: a nak of the last delivery is the end too', async () => {
      const { name, next, expectNothing } = await setUp(1, { max_deliver: 2 });
      const advisories = watchAdvisories('MAX_DELIVERIES', name);
      (await next()).nak();
      (await next()).nak();
      await expectNothing();
      await eventually(() => advisories.length === 1);
    });

    test('a consumer that leaves gives its messages back after the deadline', async () => {
      const { name, next } = await setUp(1, { ack_wait: SECOND_NS });
      const other = await connect();
      const taken = await (
        await jetstream(other, patient).consumers.get(name, 'c')
      ).next({ expires: 20_000 });
      assert.equal(taken?.info.deliveryCount, 1);
      await other.close();
      assert.equal((await next()).info.deliveryCount, 2);
    });

    test('a nak on a work queue keeps the message', async () => {
      const { name, next } = await setUp(1, {}, { retention: RetentionPolicy.Workqueue });
      (await next()).nak();
      const again = await next();
      assert.equal((await jsm().streams.info(name)).state.messages, 1);
      await again.ackAck();
      await eventually(async () => (await jsm().streams.info(name)).state.messages === 0);
    });

    test('a message deleted from the stream is not redelivered', async () => {
      const { name, next } = await setUp(2, { ack_wait: 300 * MILLISECOND_NS });
      assert.equal((await next()).seq, 1);
      await jsm().streams.deleteMessage(name, 1);
      assert.equal((await next()).seq, 2);
      assert.equal((await next()).seq, 2);
    });
  });

  describe('in flight', parallel, () => {
    test('max_ack_pending holds further messages back until an ack', async () => {
      const { consumer, next, readInfo, expectNothing } = await setUp(5, { max_ack_pending: 2 });
      const [first] = await collect(await consumer.fetch({ max_messages: 2 }));
      await expectNothing();
      assert.equal((await readInfo()).num_ack_pending, 2);
      const waiting = next();
      first?.ack();
      assert.equal((await waiting).string(), '3');
      assert.equal((await readInfo()).num_ack_pending, 2);
    });

    test('max_ack_pending counts all members of a consumer', async () => {
      const { name, consumer, readInfo } = await setUp(50, { max_ack_pending: 10 });
      const other = await js().consumers.get(name, 'c');
      const held: JsMsg[] = [];
      const callback = (message: JsMsg): void => void held.push(message);
      const consuming = [await consumer.consume({ callback }), await other.consume({ callback })];
      await eventually(() => held.length === 10);
      assert.equal((await readInfo()).num_ack_pending, 10);
      for (let acked = 0; acked < 40; acked += 1) {
        held[acked]?.ack();
        await eventually(() => held.length === acked + 11);
      }
      assert.equal((await readInfo()).num_ack_pending, 10);
      for (const messages of consuming) await messages.close();
    });
  });
});
