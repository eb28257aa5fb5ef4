import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { KafkaKit, batchOf, fetchRequest, requestBytes } from './kit.ts';

const requests = 3_000;
/** Answers that one turn of the loop may bring. */
const mostMax = requests / 4;

/** How many of the requests of the only connection were answered in one turn of the loop at most. */
async function mostInOneTurn(kit: KafkaKit): Promise<number> {
  let before = 0;
  let most = 0;
  while (before < requests) {
    await nextTurn();
    const connection = kit.frontend.listConnections()[0];
    assert.ok(connection, 'it stays connected');
    const now = connection.requests - connection.underWay;
    most = Math.max(most, now - before);
    before = now;
  }
  return most;
}

test('a connection with much to ask is served in pieces, so that the others get their turns', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const topics = Array.from({ length: 100 }, (_, at) => ({ name: `not-there-${at}` }));
  const asked = requestBytes('Metadata', 5, { topics, allowAutoTopicCreation: false });
  client.socket.write(Buffer.concat(Array.from({ length: requests }, () => asked).flat()));
  const most = await mostInOneTurn(kit);
  assert.ok(most < mostMax, `${most} of ${requests} in one turn`);
});

test('nor does a chain of answers, each starting the next request, hold up other clients', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await client.produce('t', batchOf(['x'.repeat(1000)]));
  client.socket.resume();
  const asked = requestBytes('Fetch', 11, fetchRequest('t', 0, { maxWaitMs: 0 }));
  client.socket.write(Buffer.concat(Array.from({ length: requests }, () => asked).flat()));
  const most = await mostInOneTurn(kit);
  assert.ok(most < mostMax, `${most} of ${requests} in one turn`);
});
