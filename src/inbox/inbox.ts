import { isTableName, type SqlDatabase } from '../databases/index.ts';
import { InboxError } from './errors.ts';
import { keyOf, messageId, type IncomingMessage } from './message-id.ts';
import { SqlStore } from './sql-store.ts';
import { keyBytesMax, type CleanUpOptions, type InboxStore, type Once } from './store.ts';

export interface InboxOptions<Tx> {
  /** The database that the effects go to: `fromPg(pool)`, `fromKysely(db, …)`, `fromMongo(client)`, … */
  readonly database: SqlDatabase<Tx> | InboxStore<Tx>;
  /**
   * The name under which ids are remembered. Each group that has effects of its own needs a name of its own.
   */
  readonly consumer: string;
  /** The table of SQL databases. Default `pillarbox_inbox`. */
  readonly table?: string;
  /** The id of a message. Default: {@link messageId}. */
  readonly id?: (message: IncomingMessage) => string | undefined;
}

/**
 * An inbox remembers which messages a consumer has handled, in the database that the effects go to: the id of
 * the message and its effect are one transaction. So a message that is delivered twice has its effect once.
 */
export class Inbox<Tx> {
  readonly consumer: string;
  readonly #store: InboxStore<Tx>;
  readonly #idOf: (message: IncomingMessage) => string | undefined;

  constructor({ database, consumer, table = 'pillarbox_inbox', id = messageId }: InboxOptions<Tx>) {
    if (typeof consumer !== 'string' || consumer === '' || Buffer.byteLength(consumer) > keyBytesMax)
      throw new InboxError(
        'option-invalid',
        `inbox() cannot be called so: consumer must be a text of 1 to ${keyBytesMax} bytes, the name of the group for example.`,
      );
    if (!isTableName(table))
      throw new InboxError(
        'option-invalid',
        `inbox() cannot be called so: table must be a name of letters, digits and _, of at most 40 characters, perhaps after a schema and a dot.`,
      );
    this.consumer = consumer;
    this.#store = 'dialect' in database ? new SqlStore(database, table) : database;
    this.#idOf = id;
  }

  /**
   * Runs the effect of a message, unless the message was handled before. What the effect does by `tx` is kept
   * if it returns, together with the id of the message, and rolled back if it throws. Resolves after the
   * commit: ack then. Of two calls for one message at a time, the second waits for the first.
   *
   * Let errors of statements through; they end the transaction.
   */
  async once<T>(message: IncomingMessage, effect: (tx: Tx) => T | Promise<T>): Promise<Once<T>> {
    return this.#store.once(keyOf(this.consumer, message, this.#idOf(message)), effect);
  }

  /**
   * Remembers a message in a transaction of yours. `false`: the message was handled before, so its effect is
   * to be left out. SQLite answers at once, the other databases by a promise.
   */
  claim(tx: Tx, message: IncomingMessage): boolean | Promise<boolean> {
    const store = this.#store;
    if (store.claim) return store.claim(tx, keyOf(this.consumer, message, this.#idOf(message)));
    throw new InboxError('not-supported', 'This database has no transactions to claim a message in.');
  }

  /** Forgets a message, so that its next delivery has its effect again. Resolves to whether it was known. */
  async forget(message: IncomingMessage): Promise<boolean> {
    return this.#store.forget(keyOf(this.consumer, message, this.#idOf(message)));
  }

  /**
   * Forgets the messages of this consumer that were handled longer ago, oldest first, in transactions of
   * `stepRows` rows at most. Resolves to how many were forgotten.
   */
  async cleanUp({ olderThanMs, stepRows = 1_000, signal }: CleanUpOptions): Promise<number> {
    if (!(olderThanMs >= 0 && Number.isFinite(olderThanMs)))
      throw new InboxError(
        'option-invalid',
        'cleanUp(): olderThanMs must be a number of milliseconds from 0.',
      );
    if (!(Number.isInteger(stepRows) && stepRows >= 1))
      throw new InboxError('option-invalid', 'cleanUp(): stepRows must be a whole number from 1.');
    let count = 0;
    for (;;) {
      signal?.throwIfAborted();
      const step = await this.#store.cleanUp(this.consumer, {
        olderThanMs: Math.ceil(olderThanMs),
        stepRows,
      });
      count += step;
      if (step < stepRows) return count;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Makes the table, if it is not there; see `inboxTable` for its text. */
  migrate(): Promise<void> {
    return this.#store.migrate();
  }
}

/**
 * Opens an inbox of a consumer.
 *
 * ```ts
 * import { PGlite } from '@electric-sql/pglite';
 * import { open } from 'pillarbox';
 * import { fromPglite, inbox } from 'pillarbox/inbox';
 *
 * const db = new PGlite();
 * await db.exec('CREATE TABLE balance (cents int); INSERT INTO balance VALUES (0)');
 * const ledger = inbox({ database: fromPglite(db), consumer: 'ledger' });
 * await ledger.migrate();
 *
 * await using box = await open();
 * const payments = await box.topic<number>('payments');
 * const group = await payments.group('ledger', { backoffMs: [1] });
 * group.consume(
 *   async (message) => {
 *     await ledger.once(message, (tx) => tx.query('UPDATE balance SET cents = cents + $1', [message.value]));
 *     if (message.deliveries === 1) throw new Error('no ack'); // so the message comes again
 *   },
 *   { onError: () => undefined },
 * );
 * await payments.publish(500, { headers: { 'Pillarbox-Message-Id': 'p1' } });
 * await group.drained();
 * console.log((await db.query('SELECT cents FROM balance')).rows); // prints: [ { cents: 500 } ]
 * await db.close();
 * ```
 */
export function inbox<Tx>(options: InboxOptions<Tx>): Inbox<Tx> {
  return new Inbox(options);
}
