// Effectively once. A publisher that did not get its answer publishes again with the same id, and the broker
// stores the message once. A consumer that is not sure handles the message again, and its inbox notices: the
// effect and the id of the message are one transaction of the consumer's own database.
//
// node dist/examples/idempotent-consumer.js

import { PGlite } from '@electric-sql/pglite'; // PostgreSQL inside the process; yours may be any other
import { open } from '../src/index.ts'; // in your project: from 'pillarbox'
import { fromPglite, inbox } from '../src/inbox/index.ts'; // in your project: from 'pillarbox/inbox'

const db = new PGlite();
await db.exec('CREATE TABLE balance (cents integer); INSERT INTO balance VALUES (0)');
const handled = inbox({ database: fromPglite(db), consumer: 'ledger' });
await handled.migrate();

await using box = await open();
const payments = await box.topic<{ id: string; cents: number }>('payments', {
  dedupeWindowMs: 24 * 3_600_000,
});

// The publisher gets no answer to its first try (or so it believes), and tries again.
for (const payment of [
  { id: 'p1', cents: 500 },
  { id: 'p1', cents: 500 },
  { id: 'p2', cents: 250 },
]) {
  const { offset, duplicate } = await payments.publish(payment, {
    dedupeId: payment.id,
    headers: { 'Pillarbox-Message-Id': payment.id },
  });
  console.log(`payment ${payment.id}: ${duplicate ? 'was stored already' : 'stored'}, offset ${offset}`);
}

const ledger = await payments.group('ledger', { backoffMs: [10] });
ledger.consume(async (message) => {
  const { id, cents } = message.value;
  const outcome = await handled.once(message, (tx) =>
    tx.query('UPDATE balance SET cents = cents + $1', [cents]),
  );
  const what = outcome.kind === 'handled' ? 'booked' : 'was booked already';
  console.log(`payment ${id}, delivery ${message.deliveries}: ${what}`);
  // The payment is booked, and then something fails before the ack: at-least-once means that the message
  // comes again.
  if (id === 'p1' && message.deliveries === 1) throw new Error('the connection to the bank is lost');
});
await ledger.drained();
const { rows } = await db.query<{ cents: number }>('SELECT cents FROM balance');
console.log(`balance: ${rows[0]?.cents} cents`);
await db.close();
