import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromMongo, inbox, type IncomingMessage, type MongoSession } from '../../src/inbox/index.ts';

// No MongoDB can be had for tests, so this is what its driver does in the calls that the adapter makes.

const message: IncomingMessage = { topic: 'transfers', id: '1', headers: new Map() };

class FakeMongo {
  readonly ids = new Set<string>();
  readonly calls: string[] = [];

  startSession(): MongoSession {
    const kept = new Set(this.ids);
    return {
      withTransaction: async (work) => {
        try {
          const value = await work();
          this.calls.push('commit');
          return value;
        } catch (error) {
          this.calls.push('abort');
          this.ids.clear();
          for (const id of kept) this.ids.add(id);
          throw error;
        }
      },
      endSession: async () => void this.calls.push('end'),
    };
  }

  db(): unknown {
    const insertOne = async ({ _id }: { _id: object }, { session }: { session: unknown }): Promise<void> => {
      assert.ok(session);
      const id = JSON.stringify(_id);
      if (this.ids.has(id)) throw Object.assign(new Error('E11000 duplicate key'), { code: 11_000 });
      this.ids.add(id);
    };
    return { collection: () => ({ insertOne }) };
  }
}

test('an inbox on MongoDB keeps id and effect in one transaction', async () => {
  const mongo = new FakeMongo();
  const box = inbox({ database: fromMongo(mongo), consumer: 'bank' });
  await assert.rejects(
    box.once(message, () => Promise.reject(new Error('not now'))),
    /not now/,
  );
  assert.equal(mongo.ids.size, 0);
  assert.deepEqual(await box.once(message, async () => 7), { kind: 'handled', value: 7 });
  assert.deepEqual(await box.once(message, () => assert.fail('a second time')), { kind: 'duplicate' });
  assert.deepEqual(mongo.calls, ['abort', 'end', 'commit', 'end', 'abort', 'end']);
  assert.deepEqual([...mongo.ids], ['{"consumer":"bank","topic":"transfers","id":"1"}']);
});
