import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Broker, MemoryFiles, Router } from '../../../src/broker/index.ts';
import {
  NatsFrontend,
  PillarboxJetStream,
  natsApiLevel,
  natsVersion,
} from '../../../src/protocols/nats/index.ts';
import { SeededRandom, VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, says } from './nats-kit.ts';

test('a connection with much to ask is heard in pieces, so that the others get their turns', async () => {
  await using broker = await Broker.open({ dir: 'data', files: new MemoryFiles(), memoryBytes: () => 0 });
  const serverName = 'fair';
  const frontend = new NatsFrontend({
    router: broker.router,
    jetStream: new PillarboxJetStream(broker, {
      name: serverName,
      version: natsVersion,
      apiLevel: natsApiLevel,
    }),
    clock: broker.clock,
    random: broker.random,
    serverName,
  });
  const { port } = await frontend.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.resume();
  const requests = 40_000;
  let before = 0;
  let most = 0;
  try {
    socket.write('CONNECT {"verbose":false}\r\nSUB in.* 1\r\n');
    socket.write('PUB $JS.API.STREAM.NAMES in.1 0\r\n\r\n'.repeat(requests));
    while (before < requests) {
      await nextTurn();
      const now = frontend.listConnections()[0]?.inMessages ?? 0;
      most = Math.max(most, now - before);
      before = now;
    }
  } finally {
    socket.destroy();
    await frontend.close({ graceMs: 0 });
  }
  // One read is 128 KiB, or some 3,700 of these; the system had hundreds of KiB ready at once.
  assert.ok(most < requests / 4, `${most} of ${requests} in one turn`);
});

test('thousands of subscriptions are made in pieces', async () => {
  /** To look at the time takes a millisecond. */
  class LookClock extends VirtualClock {
    #looks = 0;

    override monotonic(): number {
      return super.monotonic() + this.#looks++;
    }
  }
  const count = 5_000;
  const router = new Router(new SeededRandom(1));
  await using server = await TestServer.start({ router, clock: new LookClock() });
  using client = await server.connect();
  let most = 0;
  client.send(Array.from({ length: count }, (_, at) => `SUB a.${at} ${at}\r\n`).join(''));
  for (let before = 0; before < count;) {
    await nextTurn();
    most = Math.max(most, router.subscriptions - before);
    before = router.subscriptions;
  }
  // It is two reads.
  assert.ok(most < count / 10, `${most} of ${count} in one turn`);
});

test('the subscriptions of a connection that leaves end in pieces, and receive nothing meanwhile', async () => {
  const count = 2_000;
  let left: number | undefined;
  const router = new Router(new SeededRandom(1));
  await using server = await TestServer.start({
    router,
    report: ({ kind }) => {
      if (kind === 'closed') left ??= router.subscriptions;
    },
  });
  using leaving = await server.connect();
  using other = await server.connect();
  await says(leaving, Array.from({ length: count }, (_, at) => `SUB a.${at} ${at}\r\n`).join(''), '');
  assert.equal(router.subscriptions, count);
  leaving[Symbol.dispose]();
  await eventually(() => left !== undefined);
  assert.ok(left! >= count / 2, `${left} of ${count} were left after the first piece`);
  await says(other, 'SUB r 1\r\n', '');
  await says(other, 'PUB a.7 r 0\r\n\r\n', 'HMSG r 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: a.7\r\n\r\n\r\n');
  await eventually(() => router.subscriptions === 1);
});
