import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSqlite, type SqlDatabase } from '../../src/databases/index.ts';
import { bytes, open } from '../../src/index.ts';
import { inbox } from '../../src/inbox/index.ts';
import { outbox } from '../../src/outbox/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { WasmSqlite } from '../databases/wasm-sqlite.ts';
import { eventually, makeTemporaryDirectory } from '../support/index.ts';
import type { Transfer } from './schema.ts';

// The bank in one process, on any machine: SQLite and an embedded broker. Nothing is killed, but relays
// cannot delete what they have published, handlers fail after their commits, and the broker is closed and
// opened.

const accounts = 5;
const rounds = 8;
const transfersEach = 25;

test('money moves once through outbox, broker and inbox, with failures after each commit', async () => {
  const random = new SeededRandom(11);
  const chance = (share: number): boolean => random.next() < share;
  const pick = (): number => 1 + Math.floor(random.next() * accounts);
  await using directory = await makeTemporaryDirectory();
  const db = new WasmSqlite();
  db.exec(`CREATE TABLE account (id integer PRIMARY KEY, cents integer, sends integer DEFAULT 0);
    INSERT INTO account (id, cents) VALUES (1, 1000), (2, 1000), (3, 1000), (4, 1000), (5, 1000);
    CREATE TABLE sent (id text, cents integer); CREATE TABLE received (id text, cents integer);`);
  const one = (text: string): number => Number((db.prepare(text).all() as { n: number }[])[0]?.n);
  const plain = fromSqlite(db);
  const failing: SqlDatabase<WasmSqlite> = {
    ...plain,
    execute: (tx, text, values) => {
      if (text.startsWith('DELETE FROM pillarbox_outbox') && chance(0.3))
        throw new Error('gone for a moment');
      return plain.execute(tx, text, values);
    },
  };
  const bank = inbox({ database: plain, consumer: 'bank' });
  await bank.migrate();
  await outbox({ database: plain }).migrate();
  const total =
    'SELECT (SELECT sum(cents) FROM account) + (SELECT coalesce(sum(cents), 0) FROM sent) - (SELECT coalesce(sum(cents), 0) FROM received) AS n';

  for (let round = 1; round <= rounds; round++) {
    await using broker = await open({ dir: directory.path });
    const topic = await broker.topic<Transfer>('transfers', { dedupeWindowMs: 3_600_000 });
    const group = await topic.group('bank', { backoffMs: [1], maxDeliver: Infinity });
    const box = outbox({ database: failing });
    const transfers = box.topic<Transfer>('transfers', { key: ({ from }) => String(from) });
    await using _ = box.relay({
      publisher: (name) => broker.topic(name, { codec: bytes }),
      backoffMs: 1,
      pollMs: 5,
      roundRows: 7,
    });
    for (let n = 0; n < transfersEach; n++) {
      const [from, to, cents] = [pick(), pick(), pick()];
      const move = (): void => {
        void box.transaction((tx) => {
          const take = `UPDATE account SET cents = cents - ${cents}, sends = sends + 1 WHERE id = ${from} RETURNING sends AS n`;
          const number = one(take);
          const id = transfers.publish(tx, { from, to, cents, number }) as string;
          tx.exec(`INSERT INTO sent VALUES ('${id}', ${cents})`);
          if (chance(0.1)) throw new Error('changed its mind');
        });
      };
      try {
        move();
      } catch {
        // rolled back
      }
    }
    group.consume(
      async (message) => {
        const { to, cents } = message.value;
        await bank.once(message, (tx) => {
          tx.exec(`UPDATE account SET cents = cents + ${cents} WHERE id = ${to}`);
          tx.exec(`INSERT INTO received VALUES ('${message.headers.get('Pillarbox-Message-Id')}', ${cents})`);
          if (chance(0.1)) throw new Error('before the commit');
        });
        if (chance(0.2)) throw new Error('after the commit');
      },
      { concurrency: 3, onError: () => undefined },
    );
    const left = 'SELECT (SELECT count(*) FROM sent) - (SELECT count(*) FROM received) AS n';
    await eventually(() => one(left) === 0 && one('SELECT count(*) AS n FROM pillarbox_outbox') === 0);
    assert.equal(one(total), accounts * 1000);
    assert.equal(one('SELECT count(*) - count(DISTINCT id) AS n FROM received'), 0);
    const numbers = new Map<number, number>();
    for await (const { value } of topic.browse()) {
      assert.equal(value.number, (numbers.get(value.from) ?? 0) + 1, 'each transfer is there once, in order');
      numbers.set(value.from, value.number);
    }
    for (const [id, number] of numbers)
      assert.equal(one(`SELECT sends AS n FROM account WHERE id = ${id}`), number);
  }
  assert.ok(one('SELECT count(*) AS n FROM received') > rounds * transfersEach * 0.7);
  db.close();
});
