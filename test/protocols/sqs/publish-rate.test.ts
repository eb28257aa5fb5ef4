import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TopicOptions } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { SqsServer } from './sqs-kit.ts';

/** The URL of a queue that takes one message a second, and has had it. */
async function pacedQueue(server: SqsServer, overRate: TopicOptions['overRate']): Promise<string> {
  const url = await server.queue('orders');
  const topic = server.broker.topic('orders')!;
  await topic.update({ ...topic.config, publishRate: { perSecond: 1, burst: 1 }, overRate: overRate! });
  await server.send(url, 'a');
  return url;
}

describe('a send beyond the rate of its queue', () => {
  test('is throttled', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await pacedQueue(server, 'reject');
    const send = (): Promise<string> => server.told('SendMessage', { QueueUrl, MessageBody: 'b' });
    assert.match(await send(), /^403 RequestThrottled: .*takes 1 messages a second/);
    server.clock.advance(1_000);
    assert.equal(await send(), '200');
  });

  test('is answered late where it waits', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await pacedQueue(server, 'wait');
    const { publishRate } = server.broker.topic('orders')!;
    let status = 0;
    const sent = server
      .ask('SendMessage', { QueueUrl, MessageBody: 'b' })
      .then((answer) => (status = answer.status));
    await eventually(() => publishRate.waited === 1);
    assert.equal(status, 0);
    assert.equal(server.broker.topic('orders')!.count, 1);
    server.clock.advance(1_000);
    await sent;
    assert.equal(status, 200);
    assert.deepEqual(await server.bodies(QueueUrl), ['a', 'b']);
  });
});
