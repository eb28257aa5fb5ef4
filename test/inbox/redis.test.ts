import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  fromIoredis,
  fromRedis,
  inbox,
  InboxError,
  type InboxStore,
  type IncomingMessage,
  type RedisCommands,
} from '../../src/inbox/index.ts';
import { noRedis, RedisServer } from '../databases/redis-server.ts';

const message = (id: string): IncomingMessage => ({ topic: 'transfers', id, headers: new Map() });
const duplicate = { kind: 'duplicate' } as const;

describe('an inbox on Redis', { skip: noRedis }, () => {
  let server: RedisServer;
  let reader: Redis;
  const stores: {
    readonly [name: string]: () => Promise<{ store: InboxStore<RedisCommands>; close(): unknown }>;
  } = {
    ioredis: async () => {
      const redis = new Redis({ path: server.socketPath });
      return { store: fromIoredis(redis, { keepMs: 60_000, prefix: 'i:' }), close: () => redis.quit() };
    },
    'node-redis': async () => {
      const client = createClient({ socket: { path: server.socketPath, tls: false } });
      await client.connect();
      return { store: fromRedis(client, { keepMs: 60_000 }), close: () => client.close() };
    },
  };

  before(async () => {
    server = await RedisServer.create();
    reader = new Redis({ path: server.socketPath });
  });
  after(async () => {
    await reader?.quit();
    await server?.[Symbol.asyncDispose]();
  });

  for (const [name, open] of Object.entries(stores)) {
    test(`runs the commands of a message once, by ${name}`, async () => {
      const opened = await open();
      const { store } = opened;
      const box = inbox({ database: store, consumer: 'bank' });
      await box.migrate();
      const pay = (tx: RedisCommands): string => {
        tx.call('INCRBY', `cents-${name}`, 5);
        tx.call('RPUSH', `names-${name}`, 'ada', 'b c');
        return 'done';
      };
      // Both are under way at once; the second finds the id of the first.
      const outcomes = await Promise.all([box.once(message('1'), pay), box.once(message('1'), pay)]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['handled', 'duplicate'],
      );
      assert.deepEqual(await box.once(message('1'), pay), duplicate);
      assert.equal(await reader.get(`cents-${name}`), '5');
      assert.deepEqual(await reader.lrange(`names-${name}`, 0, -1), ['ada', 'b c']);

      const fails = (tx: RedisCommands): void => tx.call('INCR', `names-${name}`);
      await assert.rejects(box.once(message('2'), fails), /WRONGTYPE/);
      assert.equal((await box.once(message('2'), pay)).kind, 'handled');
      assert.deepEqual([await box.forget(message('2')), await box.forget(message('2'))], [true, false]);
      await opened.close();
    });
  }

  test('remembers an id for as long as it is told to', async () => {
    const keys = await reader.keys('i:*');
    assert.deepEqual(keys, ['i:4:bank:9:transfers:1']);
    const left = await reader.pttl(keys[0]!);
    assert.ok(left > 0 && left <= 60_000, String(left));
    assert.throws(
      () => fromIoredis(reader, { keepMs: 0 }),
      (error) => error instanceof InboxError && error.code === 'option-invalid',
    );
  });
});
