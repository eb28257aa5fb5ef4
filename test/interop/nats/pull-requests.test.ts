/** Pull requests as they go over the wire, with every status a server can answer. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, type Consumer, type ConsumerConfig } from '@nats-io/jetstream';
import { createInbox } from '@nats-io/transport-node';
import { eventually, parallel } from '../../support/index.ts';
import { SECOND_NS, collect, patient, take, useNats } from './clients.ts';

describe('JetStream pull requests', parallel, () => {
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
  /** The status lines and messages that a raw pull request gets, up to `count` of them. */
  const pull = async (name: string, body: object | string, count: number): Promise<string[]> => {
    const inbox = createInbox();
    const subscription = nc().subscribe(inbox, { max: count });
    nc().publish(
      `$JS.API.CONSUMER.MSG.NEXT.${name}.c`,
      typeof body === 'string' ? body : JSON.stringify(body),
      { reply: inbox },
    );
    const received = await collect(subscription);
    return received.map((message) =>
      message.headers?.code ? `${message.headers.code} ${message.headers.description}` : message.string(),
    );
  };

  test('an empty body asks for one, a number for as many', async () => {
    const { name } = await addConsumer(5);
    assert.deepEqual(await pull(name, '', 1), ['1']);
    assert.deepEqual(await pull(name, '3', 3), ['2', '3', '4']);
  });

  test('no_wait: the available messages, then 404', async () => {
    const { name } = await addConsumer(2);
    assert.deepEqual(await pull(name, { batch: 5, no_wait: true }, 3), ['1', '2', '404 No Messages']);
    assert.deepEqual(await pull(name, { batch: 5, no_wait: true }, 1), ['404 No Messages']);
  });

  test('expires: 408 and the rest', async () => {
    const { name } = await addConsumer(1);
    const inbox = createInbox();
    const subscription = nc().subscribe(inbox, { max: 2 });
    nc().publish(
      `$JS.API.CONSUMER.MSG.NEXT.${name}.c`,
      JSON.stringify({ batch: 5, expires: 0.1 * SECOND_NS }),
      { reply: inbox },
    );
    const [, end] = await collect(subscription);
    assert.equal(`${end?.headers?.code} ${end?.headers?.description}`, '408 Request Timeout');
    assert.equal(end?.headers?.get('Nats-Pending-Messages'), '4');
    assert.equal(end?.headers?.get('Nats-Pending-Bytes'), '0');
    assert.equal(end?.subject, inbox);
  });

  test('idle heartbeats tell where the consumer stands', async () => {
    const { name } = await addConsumer(1);
    const inbox = createInbox();
    const subscription = nc().subscribe(inbox, { max: 2 });
    nc().publish(
      `$JS.API.CONSUMER.MSG.NEXT.${name}.c`,
      JSON.stringify({ batch: 2, expires: 10 * SECOND_NS, idle_heartbeat: 0.2 * SECOND_NS }),
      { reply: inbox },
    );
    const [, beat] = await collect(subscription);
    assert.equal(`${beat?.headers?.code} ${beat?.headers?.description}`, '100 Idle Heartbeat');
    assert.equal(beat?.headers?.get('Nats-Last-Consumer'), '1');
    assert.equal(beat?.headers?.get('Nats-Last-Stream'), '1');
  });

  test('requests that make no sense', async () => {
    const { name } = await addConsumer(0);
    const [json] = await pull(name, '{bad', 1);
    assert.match(json ?? '', /^400 Bad Request - /);
    assert.deepEqual(await pull(name, { expires: SECOND_NS, idle_heartbeat: SECOND_NS }, 1), [
      '400 Bad Request - heartbeat value too large',
    ]);
    assert.deepEqual(await pull(name, { idle_heartbeat: SECOND_NS }, 1), [
      '400 Bad Request - heartbeat value too large',
    ]);
  });

  test('limits of the consumer', async () => {
    const { name } = await addConsumer(1, {
      max_batch: 3,
      max_expires: SECOND_NS,
      max_bytes: 500,
      max_waiting: 2,
    });
    assert.deepEqual(await pull(name, { batch: 4 }, 1), ['409 Exceeded MaxRequestBatch of 3']);
    assert.deepEqual(await pull(name, { expires: 2 * SECOND_NS }, 1), [
      '409 Exceeded MaxRequestExpires of 1s',
    ]);
    assert.deepEqual(await pull(name, { max_bytes: 501, expires: SECOND_NS }, 1), [
      '409 Exceeded MaxRequestMaxBytes of 500',
    ]);
    assert.deepEqual(await pull(name, { batch: 3, max_bytes: 10, expires: SECOND_NS }, 1), [
      '409 Message Size Exceeds MaxBytes',
    ]);
  });

  test('more requests than max_waiting', async () => {
    const { name, consumer } = await addConsumer(0, { max_waiting: 2 });
    const request = (): Promise<string[]> => pull(name, { batch: 1, expires: 10 * SECOND_NS }, 1);
    const [first, second] = [request(), request()];
    await eventually(async () => (await consumer.info()).num_waiting === 2);
    assert.deepEqual(await request(), ['409 Exceeded MaxWaiting']);
    for (const text of ['one', 'two']) await js().publish(`${name}.a`, text);
    assert.deepEqual(await first, ['one']);
    assert.deepEqual(await second, ['two']);
  });

  test('requests are served in turn', async () => {
    const { name, consumer } = await addConsumer(0);
    const requests = Array.from({ length: 5 }, async (_, i) => {
      await eventually(async () => (await consumer.info()).num_waiting === i);
      return pull(name, { batch: 1, expires: 30 * SECOND_NS }, 1);
    });
    await eventually(async () => (await consumer.info()).num_waiting === 5);
    for (let i = 0; i < 5; i += 1) await js().publish(`${name}.a`, `${i}`);
    assert.deepEqual(await Promise.all(requests), [['0'], ['1'], ['2'], ['3'], ['4']]);
  });

  test('waiting requests hear of a deleted consumer and of a deleted stream', async () => {
    const { name, consumer } = await addConsumer(0);
    const other = await addConsumer(0);
    const waiting = [
      pull(name, { expires: 30 * SECOND_NS }, 1),
      pull(other.name, { expires: 30 * SECOND_NS }, 1),
    ];
    await eventually(
      async () =>
        (await consumer.info()).num_waiting === 1 && (await other.consumer.info()).num_waiting === 1,
    );
    await jsm().consumers.delete(name, 'c');
    await jsm().streams.delete(other.name);
    assert.deepEqual(await Promise.all(waiting), [['409 Consumer Deleted'], ['409 Consumer Deleted']]);
  });

  test('a push consumer cannot be pulled, a missing one does not answer', async () => {
    const { name } = await addStream();
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      deliver_subject: createInbox(),
    });
    assert.deepEqual(await pull(name, '', 1), ['409 Consumer is push based']);
    await jsm().consumers.delete(name, 'c');
    await assert.rejects(nc().request(`$JS.API.CONSUMER.MSG.NEXT.${name}.c`, '', patient), /no responders/);
  });

  test('a request whose inbox is gone takes no messages', async () => {
    const { name, consumer } = await addConsumer(0);
    const gone = await connect();
    gone.subscribe('gone.inbox');
    gone.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${name}.c`,
      JSON.stringify({ batch: 10, expires: 60 * SECOND_NS }),
      { reply: 'gone.inbox' },
    );
    await gone.flush();
    await eventually(async () => (await consumer.info()).num_waiting === 1);
    await gone.close();
    await js().publish(`${name}.a`, 'alive');
    const [message] = await take(await consumer.fetch({ max_messages: 1, expires: 10_000 }), 1);
    assert.equal(message?.string(), 'alive');
    assert.equal(message.info.deliveryCount, 1);
  });
});
