// From one database, through a broker, to another, each change once: an order is placed in a transaction of
// the shop, which publishes by its outbox; the warehouse handles it once, by its inbox, although the message
// comes twice.
//
// node dist/examples/outbox.js

import { PGlite } from '@electric-sql/pglite'; // PostgreSQL inside the process; yours may be any other
import { bytes, open } from '../src/index.ts'; // in your project: from 'pillarbox'
import { inbox } from '../src/inbox/index.ts'; // in your project: from 'pillarbox/inbox'
import { fromPglite, outbox } from '../src/outbox/index.ts'; // in your project: from 'pillarbox/outbox'

interface Order {
  readonly item: string;
  readonly count: number;
}

const db = new PGlite();
await db.exec(`
  CREATE TABLE placed (item text, count int);
  CREATE TABLE stock (item text PRIMARY KEY, count int);
  INSERT INTO stock VALUES ('tea', 10)`);
const shop = outbox({ database: fromPglite(db) });
await shop.migrate();
const warehouse = inbox({ database: fromPglite(db), consumer: 'warehouse' });
await warehouse.migrate();

await using broker = await open();
const orders = await broker.topic<Order>('orders', { dedupeWindowMs: 24 * 3_600_000 });
await using relay = shop.relay({ publisher: (name) => broker.topic(name, { codec: bytes }) });

const toOrders = shop.topic<Order>('orders', { key: ({ item }) => item });
const place = async (order: Order, isPaid: boolean): Promise<void> =>
  shop.transaction(async (tx) => {
    await tx.query('INSERT INTO placed VALUES ($1, $2)', [order.item, order.count]);
    await toOrders.publish(tx, order);
    if (!isPaid) throw new Error('not paid');
  });
await place({ item: 'tea', count: 3 }, true);
await place({ item: 'tea', count: 5 }, false).catch((error: Error) =>
  console.log(`rolled back: ${error.message}`),
);

const group = await orders.group('warehouse', { backoffMs: [10] });
group.consume(async (message) => {
  const { item, count } = message.value;
  const outcome = await warehouse.once(message, (tx) =>
    tx.query('UPDATE stock SET count = count - $1 WHERE item = $2', [count, item]),
  );
  console.log(`delivery ${message.deliveries} of ${count} ${item}: ${outcome.kind}`);
  if (message.deliveries === 1) throw new Error('the warehouse burns down before the ack');
});
while (relay.stats().published === 0) await new Promise((resolve) => setTimeout(resolve, 10));
await group.drained();
const { rows } = await db.query<{ count: number }>('SELECT count FROM stock');
console.log(`left: ${rows[0]?.count} tea`);
await relay.close();
await db.close();
