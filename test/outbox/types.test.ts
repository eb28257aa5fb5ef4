import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool, PoolClient } from 'pg';
import type { Topic as ClientTopic } from '../../src/client/index.ts';
import type { Topic } from '../../src/index.ts';
import { fromPg, outbox, type Publisher } from '../../src/outbox/index.ts';

// The compiler is the test: topics of the embedded API and of the client are publishers.

interface Order {
  readonly id: number;
}

/** Never called. */
export async function compiles(
  pool: Pool,
  client: PoolClient,
  embedded: Topic<Uint8Array>,
  remote: ClientTopic<Uint8Array>,
  ofOrders: Topic<Order>,
): Promise<void> {
  const publishers: Publisher[] = [embedded, remote];
  // @ts-expect-error: a topic of orders takes no bytes
  publishers.push(ofOrders);
  const box = outbox({ database: fromPg(pool) });
  const orders = box.topic<Order>('orders', { key: ({ id }) => String(id) });
  (await orders.publish(client, { id: 1 })).toUpperCase();
  // @ts-expect-error: `id` is a number
  await orders.publish(client, { id: 'one' });
  // @ts-expect-error: a pool is no transaction
  await orders.publish(pool, { id: 1 });
}

test('topics are publishers, and values have their types', () => assert.equal(typeof compiles, 'function'));
