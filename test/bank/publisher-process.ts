import { setTimeout as sleep } from 'node:timers/promises';
import { fromPg, outbox } from '../../src/outbox/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { address, makePool, repeat } from './process.ts';
import { accounts, topic, type Transfer } from './schema.ts';

// A publisher takes money from an account and publishes where it goes, in one transaction.

const pool = makePool();
const box = outbox({ database: fromPg(pool) });
const transfers = box.topic<Transfer>(topic, { key: ({ from }) => String(from) });
const random = new SeededRandom(address.seed);
const pick = (count: number): number => 1 + Math.floor(random.next() * count);

/** The most rows that wait: on a slow machine publishers are faster than what follows them. */
const waitingMax = 200;

await repeat(async () => {
  if ((await box.lag()).rows > waitingMax) return sleep(50);
  const [from, to, cents] = [pick(accounts), pick(accounts), pick(50)];
  await box.transaction(async (tx) => {
    // Some write something first, so that the order of transaction ids is not that of the locks.
    if (cents % 3 === 0)
      await tx.query('UPDATE account SET cents = cents WHERE id = $1', [Math.min(from, to)]);
    const take = 'UPDATE account SET cents = cents - $1, sends = sends + 1 WHERE id = $2 RETURNING sends';
    const { rows } = await tx.query<{ sends: string }>(take, [cents, from]);
    const number = Number(rows[0]?.sends);
    const id = await transfers.publish(tx, { from, to, cents, number });
    await tx.query('INSERT INTO sent VALUES ($1, $2, $3, $4, $5)', [id, from, to, cents, number]);
    if (cents === 50) throw new Error('changed its mind'); // must leave no trace
  });
  await sleep(4);
});
await pool.end();
process.exit(0);
