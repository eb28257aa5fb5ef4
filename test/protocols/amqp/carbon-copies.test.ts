import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Users, type User } from '../../../src/protocols/index.ts';
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { Peer, TestServer } from './amqp-kit.ts';

const table = (...entries: [string, FieldValue][]): ReadonlyMap<string, FieldValue> => new Map(entries);

/** Takes a message of a queue; `get-empty` if there is none. */
async function take(peer: Peer, queue: string): Promise<string> {
  peer.get(queue, true);
  const line = await peer.next();
  if (!line.startsWith('1 basic.get-ok')) return 'get-empty';
  const header = await peer.next();
  await peer.next();
  return `${/"exchange":"[^"]*","routingKey":"[^"]*"/.exec(line)![0]} ${/\{.*/.exec(header)![0]}`;
}

async function confirming(peer: Peer): Promise<void> {
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
}

describe('the headers CC and BCC', () => {
  it('are further routing keys, and consumers see no BCC', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    for (const queue of ['a', 'b', 'c']) await peer.declare(queue);
    await confirming(peer);
    const headers = table(['CC', ['b', 'a', 'nowhere']], ['kept', 7], ['BCC', ['c', 5]]);
    peer.publish('', 'a', 'x', { headers, messageId: 'm' });
    await peer.expect('1 basic.ack');
    const seen =
      '"exchange":"","routingKey":"a" {"headers":{"CC":["b","a","nowhere"],"kept":7},"messageId":"m"}';
    for (const queue of ['a', 'b', 'c']) {
      assert.equal(await take(peer, queue), seen);
      assert.equal(await take(peer, queue), 'get-empty');
    }
  });

  it('route by an exchange, to each queue once', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    for (const queue of ['a', 'b']) await peer.declare(queue);
    for (const key of ['red.#', 'blue']) await peer.bind('a', 'amq.topic', key);
    await peer.bind('b', 'amq.direct', 'blue');
    await confirming(peer);
    peer.publish('amq.topic', 'green', 'x', { headers: table(['CC', ['red.one', 'blue']]) });
    await peer.expect('1 basic.ack');
    peer.publish('amq.direct', 'green', 'x', { headers: table(['BCC', ['blue']]) });
    await peer.expect('1 basic.ack');
    assert.equal(
      await take(peer, 'a'),
      '"exchange":"amq.topic","routingKey":"green" {"headers":{"CC":["red.one","blue"]}}',
    );
    assert.equal(await take(peer, 'a'), 'get-empty');
    assert.equal(await take(peer, 'b'), '"exchange":"amq.direct","routingKey":"green" {"headers":{}}');
  });

  it('come back with a mandatory message that no queue gets, without BCC', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const headers = table(['CC', ['x']], ['BCC', ['y']]);
    peer.publish('', 'nowhere', 'back', { headers, mandatory: true });
    assert.equal((await peer.message()).header, '1 header 60 4 {"headers":{"CC":["x"]}}');
  });

  it('that are no arrays close the channel', async () => {
    await using server = await TestServer.start();
    for (const [name, value, type] of [
      ['CC', 'a', 'longstr'],
      ['BCC', true, 'bool'],
    ] as const) {
      using peer = await server.open();
      peer.publish('', 'a', 'x', { headers: table([name, value]) });
      await peer.expect(
        `1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,\\"${name}\\",${type}}"`,
      );
    }
  });

  it('need the permission to write to each queue by name', async () => {
    const user: User = {
      name: 'ann',
      credentials: { password: { kind: 'plain', text: 'secret' } },
      permissions: { publish: { allow: ['mine'] } },
    };
    await using server = await TestServer.start({ users: new Users([user]) });
    for (const name of ['mine', 'other']) await server.broker.defineQueue({ name });
    using peer = await Peer.connect(server.port);
    await peer.handshake({ user: 'ann', password: 'secret' });
    peer.send(methods.channel.open, { reserved1: '' });
    await peer.expect('1 channel.open-ok');
    peer.publish('', 'mine', 'x', { headers: table(['BCC', ['other']]) });
    assert.match(await peer.next(), /403,"replyText":"ACCESS_REFUSED - write access to queue 'other'/);
    assert.equal(server.broker.topic('mine')!.count, 0);
  });

  it('are routing keys of the dead letter, until a queue gives it a key of its own', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const dies = (...more: [string, FieldValue][]): { arguments: ReadonlyMap<string, FieldValue> } => ({
      arguments: table(['x-dead-letter-exchange', 'amq.direct'], ...more),
    });
    await peer.declare('first', dies());
    await peer.declare('second', dies(['x-dead-letter-routing-key', 'end']));
    await peer.declare('last');
    await peer.bind('second', 'amq.direct', 'copy');
    await peer.bind('last', 'amq.direct', 'end');
    peer.publish('', 'first', 'x', { headers: table(['CC', ['copy']]) });
    for (const [tag, queue] of [
      [1, 'first'],
      [2, 'second'],
    ] as const) {
      await eventually(() => server.broker.topic(queue)!.durableCount === 1);
      peer.get(queue);
      await peer.message();
      peer.nack(tag, false);
    }
    await eventually(() => server.broker.topic('last')!.durableCount === 1);
    peer.get('last', true);
    const { method, header } = await peer.message();
    assert.match(method, /"exchange":"amq\.direct","routingKey":"end"/);
    assert.match(
      header,
      /"queue":"second".*"routing-keys":\["first","copy"\].*"queue":"first".*"routing-keys":\["first","copy"\]/,
    );
    assert.doesNotMatch(header, /"CC"/);
  });
});
