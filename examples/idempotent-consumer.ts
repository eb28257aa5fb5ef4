// Effectively once. A publisher that did not get its answer publishes again with the same id, and the broker
// stores the message once. A consumer that is not sure handles the message again and notices: its effect and
// the id of the message are one transaction of the consumer's own database (a map in this example).
//
// node dist/examples/idempotent-consumer.js

import { open } from '../src/index.ts'; // in your project: from 'pillarbox'

await using box = await open();
const payments = await box.topic('payments', { dedupeWindowMs: 24 * 3_600_000 });

// The publisher gets no answer to its first try (or so it believes), and tries again.
for (const payment of [
  { id: 'p1', cents: 500 },
  { id: 'p1', cents: 500 },
  { id: 'p2', cents: 250 },
]) {
  const { offset, duplicate } = await payments.publish(payment, {
    dedupeId: payment.id,
    headers: { Id: payment.id },
  });
  console.log(`payment ${payment.id}: ${duplicate ? 'was stored already' : 'stored'}, offset ${offset}`);
}

// The consumer's database. In a real one `insert into handled … on conflict do nothing` and the booking are
// one transaction.
const handled = new Set<string>();
let balance = 0;
const bookOnce = (id: string, cents: number): boolean => {
  if (handled.has(id)) return false;
  handled.add(id);
  balance += cents;
  return true;
};

const ledger = await payments.group('ledger', { backoffMs: [10] });
ledger.consume((message) => {
  const { cents } = message.value as { cents: number };
  // The id is in the message; the offset would not do: a redriven dead letter has another offset, but is the
  // same payment.
  const id = message.headers.get('Id')!;
  const isNew = bookOnce(id, cents);
  console.log(`payment ${id}, delivery ${message.deliveries}: ${isNew ? 'booked' : 'was booked already'}`);
  // The payment is booked, and then something fails before the ack: at-least-once means that the message
  // comes again.
  if (id === 'p1' && message.deliveries === 1) throw new Error('the connection to the bank is lost');
});
await ledger.drained();
console.log(`balance: ${balance} cents`);
