import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { methods } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { HeldFiles } from '../../support/held-files.ts';
import { type Peer, TestServer } from './amqp-kit.ts';

/** A channel finds in a queue what it has published to it, although the message may not be on disk yet. */
describe('a connection and its own publishes', () => {
  const deletion = { reserved1: 0, ifUnused: false, noWait: false, queue: 'jobs' } as const;

  const declaration = {
    reserved1: 0,
    queue: 'jobs',
    passive: true,
    durable: false,
    exclusive: false,
    autoDelete: false,
    noWait: false,
    arguments: new Map(),
  } as const;

  const methodsAfter: readonly {
    readonly name: string;
    readonly send: (peer: Peer) => void;
    readonly answer: RegExp;
  }[] = [
    { name: 'a get finds them', send: (peer) => peer.get('jobs', true), answer: /^1 basic\.get-ok/ },
    {
      name: 'a declaration counts them',
      send: (peer) => peer.send(methods.queue.declare, declaration),
      answer: /^1 queue\.declare-ok {"queue":"jobs","messageCount":1/,
    },
    {
      name: 'a purge removes them',
      send: (peer) => peer.send(methods.queue.purge, { reserved1: 0, queue: 'jobs', noWait: false }),
      answer: /^1 queue\.purge-ok {"messageCount":1}/,
    },
    {
      name: 'their queue is not deleted as an empty one',
      send: (peer) => peer.send(methods.queue.delete, { ...deletion, ifEmpty: true }),
      answer: /PRECONDITION_FAILED - queue 'jobs' in vhost '\/' not empty/,
    },
    {
      name: 'a deletion counts them',
      send: (peer) => peer.send(methods.queue.delete, { ...deletion, ifEmpty: false }),
      answer: /^1 queue\.delete-ok {"messageCount":1}/,
    },
  ];

  for (const { name, send, answer } of methodsAfter)
    test(name, async () => {
      using files = new HeldFiles();
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      using other = await server.open();
      await peer.declare('jobs', { durable: true });
      files.hold();
      peer.publish('', 'jobs', 'x');
      send(peer);
      // The server has read both when it answers a request that came after them.
      await eventually(() => server.amqp.listConnections().some(({ inMessages }) => inMessages === 1));
      await other.silent();
      files.letGo();
      assert.match(await peer.next(), answer);
    });
});
