import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, type ConsumerConfig, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { type Msg, createInbox } from '@nats-io/transport-node';
import { eventually, parallel } from '../../support/index.ts';
import { MILLISECOND_NS, SECOND_NS, collect, take, useNats } from './clients.ts';

describe('JetStream push and ordered consumers', parallel, () => {
  const { nc, jsm, js, addStream, connect } = useNats();

  const addFilledStream = async (count: number): Promise<string> => {
    const { name } = await addStream();
    await Promise.all(
      Array.from({ length: count }, (_, i) => js().publish(`${name}.${'ab'[i % 2]}`, `${i + 1}`)),
    );
    return name;
  };
  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);
  const addPush = async (stream: string, config: Partial<ConsumerConfig> = {}): Promise<string> => {
    const deliverSubject = createInbox();
    await jsm().consumers.add(stream, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      deliver_subject: deliverSubject,
      ...config,
    });
    return deliverSubject;
  };

  describe('push', parallel, () => {
    test('messages come to the deliver subject under their own subject', async () => {
      const name = await addFilledStream(3);
      const subscription = nc().subscribe(await addPush(name), { max: 3 });
      const received = await collect(subscription);
      assert.deepEqual(
        received.map((message) => `${message.subject} ${message.string()}`),
        [`${name}.a 1`, `${name}.b 2`, `${name}.a 3`],
      );
      for (const message of received) message.respond();
      await eventually(async () => (await jsm().consumers.info(name, 'c')).ack_floor.stream_seq === 3);
    });

    test('it waits for a subscriber, and knows whether there is one', async () => {
      const name = await addFilledStream(2);
      const inbox = await addPush(name);
      assert.notEqual((await jsm().consumers.info(name, 'c')).push_bound, true);
      assert.equal((await jsm().consumers.info(name, 'c')).delivered.stream_seq, 0);
      const subscription = nc().subscribe(inbox);
      assert.equal((await take(subscription, 1))[0]?.string(), '1');
      const other = nc().subscribe(inbox);
      await eventually(async () => (await jsm().consumers.info(name, 'c')).push_bound);
      other.unsubscribe();
      await eventually(async () => !(await jsm().consumers.info(name, 'c')).push_bound);
    });

    test('a deliver group shares', async () => {
      const name = await addFilledStream(0);
      const inbox = await addPush(name, { deliver_group: 'workers' });
      await using other = await connect();
      const seen: string[][] = [[], []];
      const note = (index: number) => (_: Error | null, message: Msg) => {
        seen[index]?.push(message.string());
        message.respond();
      };
      nc().subscribe(inbox, { queue: 'workers', callback: note(0) });
      other.subscribe(inbox, { queue: 'workers', callback: note(1) });
      await other.flush();
      for (const text of numbers(1, 200)) nc().publish(`${name}.a`, text);
      await eventually(() => (seen[0]?.length ?? 0) + (seen[1]?.length ?? 0) >= 200);
      assert.equal(new Set(seen.flat()).size, 200);
      assert.ok(
        seen.every((texts) => texts.length > 0),
        `shared ${seen[0]?.length} : ${seen[1]?.length}`,
      );
    });

    test('ack_wait, nak and max_ack_pending work as for pull', async () => {
      const name = await addFilledStream(3);
      const inbox = await addPush(name, { ack_wait: 300 * MILLISECOND_NS, max_ack_pending: 1 });
      const seen: string[] = [];
      nc().subscribe(inbox, {
        callback: (_, message) => {
          const text = message.string();
          const count = seen.filter((earlier) => earlier === text).length;
          seen.push(text);
          // 1 is late once, 2 is refused once.
          if (count === 0 && text === '1') return;
          message.respond(count === 0 && text === '2' ? '-NAK' : '+ACK');
        },
      });
      await eventually(() => seen.includes('3'));
      // A slow machine may let more deadlines pass; the order stays.
      assert.deepEqual([...new Set(seen)], ['1', '2', '3']);
      for (const text of ['1', '2']) assert.ok(seen.indexOf(text) < seen.lastIndexOf(text), seen.join());
    });

    test('idle heartbeats', async () => {
      const name = await addFilledStream(1);
      const inbox = await addPush(name, { idle_heartbeat: 200 * MILLISECOND_NS });
      const [first, beat] = await take(nc().subscribe(inbox), 2);
      assert.equal(first?.string(), '1');
      assert.equal(`${beat?.headers?.code} ${beat?.headers?.description}`, '100 Idle Heartbeat');
      assert.equal(beat?.headers?.get('Nats-Last-Consumer'), '1');
      assert.equal(beat?.headers?.get('Nats-Last-Stream'), '1');
    });

    test('flow control: a client that does not answer gets no more', async () => {
      const { name } = await addStream();
      const payload = 'x'.repeat(64 * 1024);
      await Promise.all(Array.from({ length: 128 }, () => js().publish(`${name}.a`, payload)));
      const inbox = await addPush(name, {
        ack_policy: AckPolicy.None,
        flow_control: true,
        idle_heartbeat: 500 * MILLISECOND_NS,
      });
      const pending: Msg[] = [];
      let received = 0;
      nc().subscribe(inbox, {
        callback: (_, message) => {
          if (message.headers?.code !== 100) received += 1;
          else if (message.reply) pending.push(message);
        },
      });
      await eventually(() => pending.length > 0);
      assert.equal(pending[0]?.headers?.description, 'FlowControl Request');
      await eventually(() => {
        for (const request of pending.splice(0)) request.respond();
        return received === 128;
      });
    });

    test('a consumer changes its deliver subject', async () => {
      const name = await addFilledStream(0);
      const inbox = await addPush(name);
      const fresh = createInbox();
      await jsm().consumers.update(name, 'c', { deliver_subject: fresh });
      let old = 0;
      nc().subscribe(inbox, { callback: () => void (old += 1) });
      const subscription = nc().subscribe(fresh, { max: 1 });
      await js().publish(`${name}.a`, 'moved');
      assert.equal((await collect(subscription))[0]?.string(), 'moved');
      assert.equal(old, 0);
    });

    test('with the push consumer of the client', async () => {
      const name = await addFilledStream(20);
      await addPush(name, { idle_heartbeat: SECOND_NS });
      const consumer = await js().consumers.getPushConsumer(name, 'c');
      const received: JsMsg[] = [];
      const messages = await consumer.consume({
        callback: (message) => {
          received.push(message);
          message.ack();
        },
      });
      await eventually(() => received.length === 20);
      assert.deepEqual(
        received.map((message) => message.string()),
        numbers(1, 20),
      );
      await eventually(async () => (await consumer.info()).ack_floor.stream_seq === 20);
      await messages.close();
    });
  });

  describe('ordered', parallel, () => {
    test('everything in order, stored and new', async () => {
      const name = await addFilledStream(500);
      const consumer = await js().consumers.get(name);
      const messages = await consumer.consume();
      const texts: string[] = [];
      for await (const message of messages) {
        texts.push(message.string());
        if (texts.length === 500) for (const text of numbers(501, 600)) nc().publish(`${name}.a`, text);
        if (texts.length === 600) break;
      }
      assert.deepEqual(texts, numbers(1, 600));
    });

    test('its consumer is ephemeral, in memory and without acks', async () => {
      const name = await addFilledStream(1);
      const consumer = await js().consumers.get(name);
      const { config } = await consumer.info();
      assert.equal(config.ack_policy, 'none');
      assert.equal(config.durable_name, undefined);
      assert.equal(config.mem_storage, true);
      assert.equal(config.max_deliver, 1);
      assert.equal(config.num_replicas, 1);
    });

    test('filters and start positions', async () => {
      const name = await addFilledStream(10);
      const read = async (options: object, count: number): Promise<string[]> => {
        const consumer = await js().consumers.get(name, options);
        return (await collect(await consumer.fetch({ max_messages: count }))).map((message) =>
          message.string(),
        );
      };
      assert.deepEqual(await read({ filter_subjects: `${name}.b` }, 5), ['2', '4', '6', '8', '10']);
      assert.deepEqual(await read({ deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 9 }, 2), [
        '9',
        '10',
      ]);
      assert.deepEqual(
        await read({ deliver_policy: DeliverPolicy.LastPerSubject, filter_subjects: [`${name}.>`] }, 2),
        ['9', '10'],
      );
      assert.deepEqual(await read({ deliver_policy: DeliverPolicy.Last }, 1), ['10']);
    });

    test('goes on where it was when its consumer is deleted', async () => {
      const name = await addFilledStream(10);
      const consumer = await js().consumers.get(name);
      const messages = await consumer.consume({ expires: 1000, idle_heartbeat: 500 });
      const texts: string[] = [];
      for await (const message of messages) {
        texts.push(message.string());
        if (texts.length === 10) {
          await consumer.delete();
          for (const text of numbers(11, 20)) nc().publish(`${name}.a`, text);
        }
        if (texts.length === 20) break;
      }
      assert.deepEqual(texts, numbers(1, 20));
    });

    test('ordered push', async () => {
      const name = await addFilledStream(300);
      const consumer = await js().consumers.getPushConsumer(name);
      const texts: string[] = [];
      const messages = await consumer.consume({ callback: (message) => void texts.push(message.string()) });
      await eventually(() => texts.length === 300);
      assert.deepEqual(texts, numbers(1, 300));
      await messages.close();
    });
  });
});
