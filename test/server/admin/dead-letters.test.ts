import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../support/index.ts';
import { AdminKit, takeOne, type Json } from './admin-kit.ts';

const admin = AdminKit.use();
const { ok, refused, makeTopic, publish } = admin;

describe('dead letters', () => {
  test('are listed with cause and origin, redriven and purged', async () => {
    const topic = await makeTopic();
    const letters = `${topic}-dlq`;
    const group = await admin.server.broker
      .topic(topic)!
      .createGroup({ name: 'workers', maxDeliver: 1, deadLetter: letters });
    const noLetters = async (): Promise<Json[]> =>
      (await ok('GET', '/api/v1/dead-letters'))['topics'] as Json[];
    assert.ok(
      !(await noLetters()).some((other) => other['topic'] === letters),
      'not before its first message',
    );

    await publish(topic, { key: 'k1', value: 'poison' }, { key: 'k2', value: 'rotten' });
    group.nack(0, await takeOne(group));
    group.reject(0, await takeOne(group), 'not my taste');
    await eventually(() => admin.server.broker.topic(letters)?.partitions.at(0)?.durableEnd === 2, {
      message: 'two dead letters',
    });

    const listed = (await noLetters()).find((other) => other['topic'] === letters);
    assert.deepEqual([listed?.['messages'], listed?.['groups']], [2, [{ topic, group: 'workers' }]]);
    const { messages } = await ok('GET', `/api/v1/dead-letters/${letters}`);
    const [poison, rotten] = messages as Json[];
    assert.deepEqual(poison?.['origin'], { topic, group: 'workers', partition: 0, offset: 0 });
    assert.deepEqual(
      [poison?.['cause'], poison?.['deliveries'], poison?.['value']],
      ['max-deliveries', 1, 'poison'],
    );
    assert.equal(rotten?.['cause'], 'rejected: not my taste');
    assert.equal((await ok('GET', `/api/v1/dead-letters/${letters}/1`))['value'], 'rotten');

    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/redrive`, { offsets: [1] }), {
      redriven: 1,
      left: 1,
      stayed: [],
    });
    const { messages: back } = await ok('GET', `/api/v1/topics/${topic}/messages?offset=2`);
    assert.deepEqual(
      (back as Json[]).map((message) => [message['key'], message['value'], message['headers']]),
      [['k2', 'rotten', []]],
    );
    await refused(
      'POST',
      `/api/v1/dead-letters/${letters}/redrive`,
      { to: 'nowhere' },
      404,
      'topic-not-found',
    );
    const full = await makeTopic({ messageBytesMax: 1 });
    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/redrive`, { to: full }), {
      redriven: 0,
      left: 1,
      stayed: [
        {
          topic: full,
          code: 'message-too-large',
          message: `Topic "${full}" takes messages of up to 1 bytes, not 8.`,
          count: 1,
        },
      ],
    });
    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/purge`), { purged: 1 });
  });

  test('show why the last delivery failed', async () => {
    const topic = await makeTopic();
    const letters = `${topic}-dlq`;
    const group = await admin.server.broker
      .topic(topic)!
      .createGroup({ name: 'workers', maxDeliver: 1, deadLetter: letters });
    await publish(topic, { value: 'x' });
    group.nack(0, await takeOne(group), undefined, 'the printer is on fire');
    await eventually(() => admin.server.broker.topic(letters)?.partitions.at(0)?.durableEnd === 1);
    const letter = await ok('GET', `/api/v1/dead-letters/${letters}/0`);
    assert.equal(letter['cause'], 'max-deliveries: the printer is on fire');
  });
});
