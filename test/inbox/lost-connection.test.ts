import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { fromPg } from '../../src/databases/index.ts';

test('a connection of pg that is lost in a transaction fails the transaction, and not the process', async () => {
  const released: (boolean | undefined)[] = [];
  class Client extends EventEmitter {
    async query(text: string): Promise<unknown> {
      if (text === 'BEGIN') return {};
      this.emit('error', new Error('terminated')); // throws if nobody listens
      throw new Error('the connection is lost');
    }
    release(isBroken?: boolean): void {
      released.push(isBroken);
    }
  }
  class Pool extends EventEmitter {
    readonly client: Client = new Client();
    async connect(): Promise<Client> {
      this.emit('acquire', this.client);
      return this.client;
    }
  }
  const pool = new Pool();
  const database = fromPg(pool);
  for (let times = 0; times < 2; times++)
    await assert.rejects(async () => database.transaction((client) => client.query('SELECT 1')), /lost/);
  assert.deepEqual([released, pool.client.listenerCount('error')], [[true, true], 1]);
});
