import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { chain, type SqlDatabase } from '../../src/databases/index.ts';
import { bytes, open } from '../../src/index.ts';
import { inbox } from '../../src/inbox/index.ts';
import { outbox, type Outbox, type Relay, type RelayOptions } from '../../src/outbox/index.ts';
import { OutboxTable } from '../../src/outbox/outbox-table.ts';
import { databaseCases, type OpenDatabase } from '../databases/cases.ts';
import { eventually } from '../support/index.ts';
import { Target } from './target.ts';

// One suite, on every client of every database.

const errorOf = (code: string): Error => Object.assign(new Error(`it is ${code}`), { code });
/** A relay that is woken, or is not at all: tests wait for no poll of theirs. */
const patient = { pollMs: 600_000, leaseMs: 600_000, backoffMs: 1 } as const;

for (const databaseCase of databaseCases()) {
  const { name, skip, isSerial } = databaseCase;
  if (/(Drizzle|Prisma) on PGlite/.test(name)) continue; // on PGlite alone, for the time it takes
  describe(`an outbox on ${name}`, { skip }, () => {
    let opened: OpenDatabase;
    let database: SqlDatabase<unknown>;
    let box: Outbox<unknown>;
    let target: Target;

    before(async () => {
      opened = await databaseCase.open();
      ({ database } = opened);
      box = outbox({ database });
      await Promise.all(isSerial ? [box.migrate()] : [box.migrate(), box.migrate()]);
      await box.migrate(); // nothing is left to do
      await database.transaction((tx) =>
        database.execute(tx, 'CREATE TABLE account (name varchar(9) PRIMARY KEY, cents integer)', []),
      );
    });
    beforeEach(async () => {
      target = new Target();
      await database.transaction((tx) => database.execute(tx, 'DELETE FROM pillarbox_outbox', []));
    });
    after(() => opened?.close());

    const publish = async (value: unknown, key?: string): Promise<string> =>
      box.transaction((tx) => box.topic('orders').publish(tx, value, key === undefined ? {} : { key }));
    const relay = (options: Partial<RelayOptions> = {}): Relay =>
      box.relay({ publisher: () => target, ...patient, ...options });
    const empty = async (): Promise<boolean> => {
      const { rows, setAside } = await box.lag();
      return rows + setAside === 0;
    };

    test('publishes what commits, and nothing that was rolled back', async () => {
      await using _ = relay();
      const failed = async (): Promise<unknown> =>
        box.transaction((tx) =>
          chain(box.topic('orders').publish(tx, 'never'), () => {
            throw new Error('no stock');
          }),
        );
      await assert.rejects(failed(), /no stock/);
      const id = await publish({ item: 'tea' }, 'ada');
      await eventually(empty);
      const [message, ...others] = target.messages;
      assert.deepEqual(others, []);
      assert.deepEqual(message, {
        value: '{"item":"tea"}',
        options: { key: 'ada', dedupeId: id, headers: [['Pillarbox-Message-Id', id]] },
      });
    });

    test('keeps values, keys and options as they are', async () => {
      await using _ = relay();
      const codec = { encode: (value: Uint8Array) => value };
      const topic = box.topic<Uint8Array>('raw', { codec, key: () => 'ключ ?$1' });
      const options = {
        id: 'my-id',
        headers: { Trace: 'a?$1', Name: 'ä' },
        priority: 2,
        ttlMs: 5,
        deliverAtMs: 7,
      };
      await box.transaction((tx) => topic.publish(tx, new Uint8Array([0, 255, 39, 92, 63]), options));
      await eventually(empty);
      const [{ value, options: given }] = target.messages as [Target['messages'][0]];
      assert.deepEqual([...Buffer.from(value, 'latin1')], [0, 255, 39, 92, 63]);
      const headers = [
        ['Trace', 'a?$1'],
        ['Name', 'ä'],
        ['Pillarbox-Message-Id', 'my-id'],
      ];
      assert.deepEqual(given, {
        key: 'ключ ?$1',
        dedupeId: 'my-id',
        headers,
        priority: 2,
        ttlMs: 5,
        deliverAtMs: 7,
      });
    });

    test('keeps the order of each key, over rounds', async () => {
      await box.transaction((tx) => {
        const each = (at: number): unknown =>
          at === 40
            ? undefined
            : chain(box.topic('orders').publish(tx, at, { key: `k${at % 3}` }), () => each(at + 1));
        return each(0);
      });
      await using _ = relay({ roundRows: 7 });
      await eventually(empty);
      for (const key of ['k0', 'k1', 'k2']) {
        const values = target.messages
          .filter(({ options }) => options.key === key)
          .map(({ value }) => Number(value));
        assert.deepEqual(
          values,
          values.toSorted((a, b) => a - b),
        );
      }
      assert.equal(target.messages.length, 40);
    });

    test(
      'misses nothing of transactions that commit out of order',
      { skip: isSerial && 'one connection' },
      async () => {
        let commit = (): void => undefined;
        const gate = new Promise<void>((resolve) => (commit = resolve));
        await using _ = relay();
        const inserted = new Promise<void>((resolve, reject) => {
          const late = async (): Promise<void> =>
            box.transaction(async (tx) => {
              await box.topic('orders').publish(tx, 'first inserted, last committed');
              resolve();
              await gate;
            });
          late().catch(reject);
        });
        await inserted;
        await publish('second');
        await eventually(() => target.messages.length === 1);
        commit();
        await eventually(() => target.messages.length === 2);
        assert.deepEqual(target.values, ['"second"', '"first inserted, last committed"']);
      },
    );

    test('sets a poison row aside; its key waits, the others go on', async () => {
      target.refuse = (value) => (value === '"poison"' ? errorOf('message-too-large') : undefined);
      await using _ = relay({ attemptsMax: 3 });
      const poison = await publish('poison', 'a');
      await publish('after it', 'a');
      await publish('other', 'b');
      const [row] = await eventually(async () => {
        const rows = await box.setAside();
        return rows.length > 0 && rows;
      });
      assert.deepEqual(
        { ...row, setAsideMs: 0 },
        {
          id: poison,
          topic: 'orders',
          key: 'a',
          attempts: 3,
          cause: 'it is message-too-large',
          setAsideMs: 0,
        },
      );
      await eventually(async () => (await box.lag()).rows === 1);
      assert.deepEqual([(await box.lag()).setAside, target.values], [1, ['"other"']]);
      target.refuse = () => undefined;
      assert.deepEqual([await box.retry(poison), await box.retry('no such')], [true, false]);
      await eventually(empty);
      assert.deepEqual(target.values, ['"other"', '"poison"', '"after it"']);
    });

    test('lets the key of a poison row go on, if it is told to', async () => {
      target.refuse = (value) => (value === '"poison"' ? errorOf('message-invalid') : undefined);
      await using _ = relay({ attemptsMax: 1, keyOfSetAside: 'go-on' });
      const poison = await publish('poison', 'a');
      await publish('after it', 'a');
      await eventually(() => target.values.length === 1);
      assert.deepEqual([await box.discard(poison), await box.discard(poison)], [true, false]);
      await eventually(empty);
    });

    test('sets nothing aside while the target is away', async () => {
      let refusals = 0;
      target.refuse = () => (++refusals < 20 ? errorOf('topic-full') : undefined);
      await using _ = relay({ attemptsMax: 1, pollMs: 1 });
      await publish(1, 'a');
      await publish(2, 'a');
      await publish(3);
      await eventually(empty);
      assert.deepEqual(target.values.toSorted(), ['1', '2', '3']);
      assert.ok(target.values.indexOf('1') < target.values.indexOf('2'));
    });

    test('stores once what a relay published and could not delete', async () => {
      await using broker = await open();
      const orders = await broker.topic('orders', { codec: bytes });
      let isDown = true;
      const failing: SqlDatabase<unknown> = {
        ...database,
        execute: (tx, text, values) => {
          if (isDown && text.startsWith('DELETE')) throw new Error('the database is gone');
          return database.execute(tx, text, values);
        },
      };
      await publish('once', 'a'); // before, because it wakes relays of its own outbox only
      await using first = outbox({ database: failing }).relay({ publisher: () => orders, ...patient });
      await eventually(() => first.stats().lastError === 'the database is gone' && orders.count === 1);
      isDown = false;
      await eventually(empty);
      assert.equal(orders.count, 1);
      await eventually(() => first.stats().duplicates >= 1);
    });

    test('has one active relay, which hands over', async () => {
      await using first = relay({ pollMs: 1 });
      await using second = relay({ pollMs: 1 });
      const relays = [first, second];
      const active = (): typeof relays => relays.filter((relay) => relay.stats().isActive);
      const [one] = await eventually(() => active().length === 1 && active());
      const other = relays.find((relay) => relay !== one)!;
      await publish('by the first');
      await eventually(() => one!.stats().published === 1);
      await one!.close();
      await publish('by the second');
      await eventually(() => other.stats().published === 1);
      assert.deepEqual(target.values, ['"by the first"', '"by the second"']);
    });

    test('is woken by another process', { skip: listens(name) }, async () => {
      await using elsewhere = relay();
      await eventually(() => elsewhere.stats().isActive);
      const other = outbox({ database });
      // Its transaction wakes relays of its own only: what wakes this one is the notice of the database.
      await eventually(async () => {
        await other.transaction((tx) => other.topic('orders').publish(tx, 'wake'));
        return target.messages.length > 0;
      });
    });

    test('lets no row overtake one whose next try falls due while rows are read', async () => {
      const count = 300;
      await box.transaction((tx) => {
        const each = (at: number): unknown =>
          at === count
            ? undefined
            : chain(box.topic('orders').publish(tx, at, { key: 'a' }), () => each(at + 1));
        return each(0);
      });
      const table = new OutboxTable(database, 'pillarbox_outbox', 'insertion');
      const [first] = await table.next(1, [], true);
      for (let tries = 0; tries < 25; tries++) {
        await table.failed(first!, 'not now', { retryInMs: tries % 5 });
        for (let rows = await table.next(count, [], true); ; rows = await table.next(count, [], true)) {
          if (rows.length === 0) continue;
          assert.deepEqual([rows[0]?.seq, rows.length], [first!.seq, count]);
          break;
        }
      }
    });

    test('says how far it is behind', async () => {
      assert.deepEqual(await box.lag(), { rows: 0, oldestAgeMs: 0, setAside: 0 });
      await publish(1);
      await publish(2);
      await database.transaction((tx) =>
        database.execute(tx, 'UPDATE pillarbox_outbox SET created_ms = created_ms - 5000', []),
      );
      const { rows, oldestAgeMs } = await box.lag();
      assert.ok(rows === 2 && oldestAgeMs >= 5_000 && oldestAgeMs < 60_000, String(oldestAgeMs));
    });

    test('with an inbox at the other end a message has one effect', async () => {
      await using broker = await open();
      const consumer = inbox({ database, consumer: 'bank' });
      await consumer.migrate();
      const sent = { dedupeWindowMs: 0 }; // the broker remembers nothing: each publish is stored
      await using _ = relay({ publisher: (topic) => broker.topic(topic, { codec: bytes, ...sent }) });
      await publish(5, 'a');
      await eventually(empty);
      const orders = await broker.topic('orders', { codec: bytes });
      const stored = await orders.get(0);
      const id = stored!.headers.get('Pillarbox-Message-Id')!;
      await orders.publish(stored!.bytes!, { headers: { 'Pillarbox-Message-Id': id } });
      const group = await orders.group('bank');
      const outcomes: string[] = [];
      group.consume(async (message) => outcomes.push((await consumer.once(message, () => undefined)).kind));
      await group.drained();
      assert.deepEqual(outcomes, ['handled', 'duplicate']);
    });
  });
}

function listens(name: string): string | false {
  return !['PGlite', 'pg', 'Postgres.js'].includes(name) && 'the client does not listen';
}
