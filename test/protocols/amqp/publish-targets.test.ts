/** The targets that connections share: what was found for one must hold for the next, or be found anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PublishTargets } from '../../../src/protocols/amqp/publish-targets.ts';
import { parseUsers, Users } from '../../../src/protocols/users/index.ts';
import { frameHeadBytes, methodFrame, methods } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer } from './amqp-kit.ts';

/** The method of a publish, without its frame. */
function publishTo(routingKey: string, exchange = ''): Buffer {
  const fields = { reserved1: 0, exchange, routingKey, mandatory: false, immediate: false };
  const frame = methodFrame(1, methods.basic.publish, fields);
  return frame.subarray(frameHeadBytes, frame.length - 1);
}

test('a target is known by its bytes, until the routes change', () => {
  const targets = new PublishTargets();
  const find = (method: Buffer, generation: number): object =>
    targets.find(method, 0, method.length, generation);
  const [first, second] = [publishTo('a'), publishTo('b')];
  const found = find(first, 1);
  assert.notEqual(find(second, 1), found);
  assert.equal(find(Buffer.from(first), 1), found);
  const again = find(first, 2);
  assert.notEqual(again, found);
  for (let i = 0; i < 5000; i++) find(publishTo(`q-${i}`), 2);
  assert.notEqual(find(first, 2), again, 'there are never too many');
});

test('publishers in turn to many queues reach each, also one that is declared anew', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  using other = await server.open();
  const queues = ['a', 'b', 'c'];
  for (const queue of queues) await peer.declare(queue);
  const toAll = (): void => {
    for (const one of [peer, other]) for (const queue of queues) one.publish('', queue, queue);
  };
  const haveAll = (counts: readonly number[]): Promise<unknown> =>
    eventually(() =>
      queues.every((queue, i) => (server.broker.topic(queue)?.durableCount ?? -1) === counts[i]),
    );
  toAll();
  await haveAll([2, 2, 2]);
  const ifAny = { ifUnused: false, ifEmpty: false, noWait: false };
  peer.send(methods.queue.delete, { reserved1: 0, queue: 'b', ...ifAny });
  await peer.expect('1 queue.delete-ok');
  toAll();
  await haveAll([4, -1, 4]);
  await peer.declare('b');
  toAll();
  await haveAll([6, 2, 6]);
});

test('what one user may do says nothing about the next', async () => {
  const users = new Users(
    parseUsers([
      { name: 'root', password: 'root' },
      { name: 'ann', password: 'ann', permissions: { publish: ['open'], consume: ['*'] } },
    ]),
  );
  await using server = await TestServer.start({ users });
  using root = await server.open({ user: 'root', password: 'root' });
  using ann = await server.open({ user: 'ann', password: 'ann' });
  await root.declare('secret');
  root.publish('', 'secret', 'x');
  await root.silent();
  ann.publish('', 'secret', 'x');
  await ann.expect('1 channel.close {"replyCode":403');
  root.publish('', 'secret', 'x');
  await root.silent();
  await eventually(() => server.broker.topic('secret')!.durableCount === 2);
});
