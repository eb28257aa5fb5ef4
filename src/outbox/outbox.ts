import { chain, isTableName, type SqlDatabase } from '../databases/index.ts';
import { OutboxError } from './errors.ts';
import { OutboxTable, type OutboxLag, type RowOrder, type SetAsideRow } from './outbox-table.ts';
import { OutboxTopic, type OutboxTopicOptions } from './outbox-topic.ts';
import { Relay, type RelayOptions } from './relay.ts';
import { Waker } from './waker.ts';

export interface OutboxOptions<Tx> {
  /** The database that the transactions are in: `fromPg(pool)`, `fromKysely(db, …)`, … */
  readonly database: SqlDatabase<Tx>;
  /** Default `pillarbox_outbox`. */
  readonly table?: string;
  /**
   * `insertion` (the default): rows in the order of their inserts, as far as they are committed.
   * `transaction`, in PostgreSQL: transactions one after another by their ids, each once all older ones have
   * ended.
   */
  readonly order?: RowOrder;
  /** Whether a publish on PostgreSQL wakes relays in other processes, by NOTIFY. Default true. */
  readonly notify?: boolean;
}

/**
 * An outbox publishes inside a transaction of the user's database: the message is a row, which commits with
 * the other changes or not at all. A relay publishes the rows.
 */
export class Outbox<Tx> {
  readonly #table: OutboxTable<Tx>;
  readonly #notify: boolean;
  readonly #wakers = new Set<Waker>();

  constructor({
    database,
    table = 'pillarbox_outbox',
    order = 'insertion',
    notify = true,
  }: OutboxOptions<Tx>) {
    if (!isTableName(table))
      refuse(
        'table must be a name of letters, digits and _, of at most 40 characters, perhaps after a schema and a dot',
      );
    if (order !== 'insertion' && order !== 'transaction') refuse('order must be insertion or transaction');
    if (order === 'transaction' && database.dialect !== 'postgres')
      refuse('order: transaction needs the transaction ids of PostgreSQL');
    this.#table = new OutboxTable(database, table, order);
    this.#notify = notify;
  }

  /** A topic to publish to. `In` is the type of its values. */
  topic<In = unknown>(name: string, options: OutboxTopicOptions<In> = {}): OutboxTopic<Tx, In> {
    return new OutboxTopic(this.#table, this.#notify, name, options);
  }

  /** Runs `work` in a transaction of the database, and wakes the relays of this outbox after its commit. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** On SQLite the work is synchronous, and so is this. */
  transaction<T>(work: (tx: Tx) => T | Promise<T>): T | Promise<T>;
  transaction<T>(work: (tx: Tx) => T | Promise<T>): T | Promise<T> {
    return chain(this.#table.database.transaction(work), (value) => {
      this.wake();
      return value;
    });
  }

  /** Wakes the relays that were made of this outbox. Call it after a commit of your own. */
  wake(): void {
    for (const waker of this.#wakers) waker.wake();
  }

  /** Starts a relay. Each process may have one: they agree which is active. */
  relay(options: RelayOptions): Relay {
    checkRelay(options);
    const database: SqlDatabase<unknown> | undefined = this.#notify ? this.#table.database : undefined;
    const waker: Waker = new Waker(database, this.#table.channel, () => void this.#wakers.delete(waker));
    this.#wakers.add(waker);
    return new Relay(this.#table, waker, options);
  }

  /** How far the relay is behind: a metric. It counts all rows, so ask for it each few seconds at most. */
  lag(): Promise<OutboxLag> {
    return this.#table.lag();
  }

  /** Rows that were set aside, oldest first. */
  setAside({ limit = 100 }: { readonly limit?: number } = {}): Promise<SetAsideRow[]> {
    return this.#table.setAside(limit);
  }

  /** Puts a row that was set aside back in its place. Resolves to whether there was such a row. */
  async retry(id: string): Promise<boolean> {
    const isThere = await this.#table.settle(id, 'retry');
    this.wake();
    return isThere;
  }

  /** Deletes a row that was set aside; its message is never published. */
  async discard(id: string): Promise<boolean> {
    const isThere = await this.#table.settle(id, 'discard');
    this.wake();
    return isThere;
  }

  /** Makes the tables, if they are not there; see `outboxTables` for their text. */
  migrate(): Promise<void> {
    return this.#table.migrate();
  }
}

function checkRelay(options: RelayOptions): void {
  if (typeof options.publisher !== 'function')
    refuse('publisher must be a function that finds a topic', 'relay()');
  for (const name of ['pollMs', 'roundRows', 'leaseMs', 'attemptsMax', 'backoffMs'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value < 2 ** 31))
      refuse(`${name} must be a whole number from 1`, 'relay()');
  }
  if ((options.roundRows ?? 1) > 5_000) refuse('roundRows must be at most 5,000', 'relay()');
  if (options.keyOfSetAside !== undefined && !['wait', 'go-on'].includes(options.keyOfSetAside))
    refuse('keyOfSetAside must be wait or go-on', 'relay()');
}

function refuse(problem: string, call: string = 'outbox()'): never {
  throw new OutboxError('option-invalid', `${call} cannot be called so: ${problem}.`);
}

/** Opens an outbox. */
export function outbox<Tx>(options: OutboxOptions<Tx>): Outbox<Tx> {
  return new Outbox(options);
}
