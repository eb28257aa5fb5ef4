import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chain, type SqlDatabase } from '../../src/databases/index.ts';
import { inbox, InboxError, type Inbox, type IncomingMessage } from '../../src/inbox/index.ts';
import { databaseCases, type OpenDatabase } from '../databases/cases.ts';

// One suite, on every client of every database.

const message = (id: string, topic = 'transfers'): IncomingMessage => ({ topic, id, headers: new Map() });
const handled = { kind: 'handled', value: 'done' } as const;
const duplicate = { kind: 'duplicate' } as const;

for (const databaseCase of databaseCases()) {
  const { name, skip, isSerial } = databaseCase;
  describe(`an inbox on ${name}`, { skip }, () => {
    let opened: OpenDatabase;
    let database: SqlDatabase<unknown>;
    let box: Inbox<unknown>;

    before(async () => {
      opened = await databaseCase.open();
      ({ database } = opened);
      box = inbox({ database, consumer: 'bank' });
      await Promise.all(isSerial ? [box.migrate()] : [box.migrate(), box.migrate()]);
      await box.migrate(); // nothing is left to do
      await run('CREATE TABLE account (name varchar(20) PRIMARY KEY, cents integer)');
      await run("INSERT INTO account VALUES ('ada', 0)");
    });
    after(() => opened?.close());

    async function run(text: string): Promise<readonly { readonly [name: string]: unknown }[]> {
      const { rows } = await database.transaction((tx) => database.execute(tx, text, []));
      return rows;
    }
    const cents = async (): Promise<number> => Number((await run('SELECT cents FROM account'))[0]?.['cents']);
    const pay = (tx: unknown): 'done' | Promise<'done'> =>
      chain(database.execute(tx, 'UPDATE account SET cents = cents + 1', []), () => 'done' as const);

    test('has the effect of a message once', async () => {
      const start = await cents();
      assert.deepEqual(await box.once(message('once'), pay), handled);
      assert.deepEqual(await box.once(message('once'), pay), duplicate);
      assert.equal(await cents(), start + 1);
    });

    test('tells ids, topics and consumers apart, in case and blanks, too', async () => {
      const start = await cents();
      const other = inbox({ database, consumer: 'audit' });
      for (const id of ['a', 'A', 'a ', ' a', 'ä', 'a?$1'])
        assert.deepEqual(await box.once(message(id), pay), handled, id);
      assert.deepEqual(await box.once(message('a', 'refunds'), pay), handled);
      assert.deepEqual(await other.once(message('a'), pay), handled);
      assert.equal(await cents(), start + 8);
    });

    test('keeps neither effect nor id if the effect throws', async () => {
      const start = await cents();
      const failed = box.once(message('fails'), (tx) =>
        chain(pay(tx), () => {
          throw new Error('no such account');
        }),
      );
      await assert.rejects(failed, /no such account/);
      assert.equal(await cents(), start);
      assert.deepEqual(await box.once(message('fails'), pay), handled);
    });

    test('keeps neither if a statement fails, and the effect hides it', async () => {
      const start = await cents();
      const hides = (tx: unknown): unknown => {
        const go = (): unknown => chain(pay(tx), () => database.execute(tx, 'SELECT no_such_thing', []));
        if (database.dialect !== 'sqlite') return (go() as Promise<unknown>).catch(() => 'hidden');
        try {
          return go();
        } catch {
          return 'hidden';
        }
      };
      const outcome = await box.once(message('hidden'), hides).catch((error: unknown) => error);
      // In PostgreSQL the transaction has failed; in the others only the statement has.
      const isKept = database.dialect !== 'postgres';
      assert.equal(outcome instanceof Error, !isKept, String(outcome));
      assert.equal(await cents(), start + (isKept ? 1 : 0));
      assert.equal((await box.once(message('hidden'), pay)).kind, isKept ? 'duplicate' : 'handled');
    });

    test('notices that an effect has ended its transaction', { skip: endsItself(name) }, async () => {
      const ends = (tx: unknown): unknown => database.execute(tx, 'ROLLBACK', []);
      await assert.rejects(box.once(message('ended'), ends));
    });

    test(
      'lets the second of two deliveries at once wait for the first',
      { skip: isSerial && 'one connection' },
      async () => {
        const start = await cents();
        let goOn = (): void => undefined;
        const gate = new Promise<void>((resolve) => (goOn = resolve));
        const began = new Promise<void>((resolve) => {
          void box.once(message('slow'), async (tx) => {
            resolve();
            await gate;
            return pay(tx);
          });
        });
        await began;
        const second = box.once(message('slow'), pay);
        goOn();
        assert.deepEqual(await second, duplicate);
        assert.equal(await cents(), start + 1);
      },
    );

    test('claims in a transaction of the caller', async () => {
      const claim = async (): Promise<boolean> =>
        database.transaction((tx) => box.claim(tx, message('mine')));
      assert.deepEqual([await claim(), await claim()], [true, false]);
    });

    test('forgets a message on request', async () => {
      await box.once(message('again'), pay);
      assert.deepEqual(
        [await box.forget(message('again')), await box.forget(message('again'))],
        [true, false],
      );
      assert.deepEqual(await box.once(message('again'), pay), handled);
    });

    test('forgets the old in steps, its own only', async () => {
      const [mine, other] = ['cleaned', 'kept'].map((consumer) => inbox({ database, consumer }));
      for (const id of ['1', '2', '3', '4', '5'])
        for (const each of [mine!, other!]) await each.once(message(id), () => undefined);
      assert.equal(await mine!.cleanUp({ olderThanMs: 60_000 }), 0);
      await run("UPDATE pillarbox_inbox SET handled_ms = handled_ms - 100000 WHERE message_id <> '5'");
      assert.equal(await mine!.cleanUp({ olderThanMs: 60_000, stepRows: 3 }), 4);
      const [left] = await run("SELECT count(*) AS n FROM pillarbox_inbox WHERE consumer = 'kept'");
      assert.equal(Number(left?.['n']), 5);
    });
  });
}

/** Such clients send ROLLBACK by themselves only, and refuse or break on one of the user's. */
function endsItself(name: string): string | false {
  return /Drizzle|Kysely|Knex|Prisma|PGlite|Postgres\.js/.test(name) && 'the client ends transactions itself';
}

describe('what a message is remembered by', () => {
  const seen: unknown[] = [];
  const store = {
    once: async (key: unknown) => {
      seen.push(key);
      return duplicate;
    },
    forget: async () => false,
    cleanUp: async () => 0,
    migrate: async () => undefined,
  };
  const box = inbox({ database: store, consumer: 'bank' });
  const seenOf = async (message: IncomingMessage): Promise<unknown> => {
    await box.once(message, () => undefined);
    return seen.at(-1);
  };

  test('is its id, or the first header with one', async () => {
    const headers = new Map([
      ['Nats-Msg-Id', 'n'],
      ['amqp-message-id', 'a'],
    ]);
    const key = { consumer: 'bank', topic: 't' };
    assert.deepEqual(await seenOf({ topic: 't', id: 'i', headers }), { ...key, id: 'i' });
    assert.deepEqual(await seenOf({ topic: 't', headers }), { ...key, id: 'n' });
    headers.set('Pillarbox-Message-Id', 'p');
    assert.deepEqual(await seenOf({ topic: 't', headers }), { ...key, id: 'p' });
  });

  test('is the topic of origin, for a dead letter', async () => {
    assert.deepEqual(
      await seenOf({ ...message('7', 'transfers-bank-dlq'), origin: { topic: 'transfers' } }),
      {
        consumer: 'bank',
        topic: 'transfers',
        id: '7',
      },
    );
  });

  test('must be there, and not too long', async () => {
    const code = (code: string) => (error: unknown) => error instanceof InboxError && error.code === code;
    await assert.rejects(
      box.once({ topic: 't', headers: new Map() }, () => undefined),
      code('id-missing'),
    );
    await assert.rejects(
      box.once(message('ä'.repeat(257)), () => undefined),
      code('id-invalid'),
    );
    const byOffset = inbox({ database: store, consumer: 'bank', id: () => undefined });
    await assert.rejects(
      byOffset.once(message('1'), () => undefined),
      code('id-missing'),
    );
  });

  test('options that do not fit are refused', async () => {
    const code = (error: unknown): boolean => error instanceof InboxError && error.code === 'option-invalid';
    assert.throws(() => inbox({ database: store, consumer: '' }), code);
    assert.throws(() => inbox({ database: store, consumer: 'a', table: 'a; DROP TABLE b' }), code);
    await assert.rejects(box.cleanUp({ olderThanMs: -1 }), code);
    await assert.rejects(box.cleanUp({ olderThanMs: 1, stepRows: 0 }), code);
    assert.throws(() => box.claim(undefined, message('1')), InboxError);
  });
});
