import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Hall } from '../../../src/protocols/index.ts';
import { SystemClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { KafkaKit, batchOf, fetchRequest, requestBytes, type KafkaClient } from './kit.ts';

describe('clients that ask and never read', () => {
  const batchBytes = 900_000;
  const batches = 8;
  const roomBytes = 4_000_000;
  const stalled = 12;

  test('take what there is for answers once, and then make room for those who read', async () => {
    const hall = new Hall(new SystemClock(), { unreadBytesMax: roomBytes, behindMsMax: 300 });
    await using kit = await KafkaKit.start({ hall });
    using client = await kit.client();
    await client.createTopic('t');
    for (let i = 0; i < batches; i++) await client.produce('t', batchOf(['x'.repeat(batchBytes)]));
    const asked = Buffer.concat(
      Array.from({ length: 100 }, () =>
        requestBytes('Fetch', 11, fetchRequest('t', 0, { maxWaitMs: 0, maxBytes: 2 ** 30 })),
      ).flat(),
    );
    using _ = await stalledClients(kit, stalled, asked);
    let most = 0;
    const pendingBytes = (): number =>
      kit.frontend.listConnections().reduce((sum, connection) => sum + connection.pendingBytes, 0);
    await eventually(() => {
      most = Math.max(most, pendingBytes());
      return most > roomBytes;
    });
    // A client that reads still gets everything.
    assert.equal((await client.records('t')).length, batches);
    await eventually(() => {
      most = Math.max(most, pendingBytes());
      return pendingBytes() < roomBytes;
    });
    assert.ok(kit.events.some((event) => event.kind === 'closed' && event.reason.kind === 'slow-reader'));
    assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
    // One batch is sent at any size, to each reader that was admitted while there was room.
    assert.ok(most < roomBytes + stalled * (batchBytes + 1000), `${most} bytes waited`);
  });
});

async function stalledClients(kit: KafkaKit, count: number, asked: Buffer): Promise<Disposable> {
  const clients: KafkaClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await kit.client();
    client.socket.pause();
    client.socket.write(asked);
    clients.push(client);
  }
  return {
    [Symbol.dispose]: () => {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}
