import { resultOf } from './result.ts';
import type { SqlDatabase } from './sql-database.ts';
import { placed } from './statement.ts';

/** A connection of `pg`. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

/** A pool of `pg`. */
export interface PgPool {
  connect(): Promise<PgClient & { release(broken?: boolean): void }>;
}

/** The connection that a pool gives out. */
export type PgClientOf<P> = P extends {
  connect: { (): Promise<infer Client extends PgClient>; (callback: never): void };
}
  ? Client
  : P extends { connect(): Promise<infer Client extends PgClient> }
    ? Client
    : PgClient;

interface Emitter {
  on?(event: 'acquire', listener: (client: Emitter) => void): unknown;
  on?(event: 'notification' | 'error' | 'end', listener: () => void): unknown;
  listeners?(event: 'error'): readonly unknown[];
}

/**
 * A lost connection makes its statements fail. Its client says so by an event besides, which ends the process
 * if nobody listens, and the pool does not listen while the client is out.
 */
function hearErrors(pool: Emitter): void {
  pool.on?.('acquire', (client) => {
    if (!client.listeners?.('error').includes(heard)) client.on?.('error', heard);
  });
}

const heard = (): void => undefined;

/** A `Pool` of `pg`. A transaction is a connection of the pool, inside BEGIN and COMMIT. */
export function fromPg<P extends PgPool>(pool: P): SqlDatabase<PgClientOf<P>> {
  hearErrors(pool as Emitter);
  return {
    dialect: 'postgres',
    async transaction(work) {
      const client = await pool.connect();
      let isBroken = false;
      try {
        await client.query('BEGIN');
        const value = await work(client as unknown as PgClientOf<P>);
        const ended = (await client.query('COMMIT')) as { command?: string };
        // PostgreSQL answers so when a statement had failed, and the error was caught by the program.
        if (ended.command === 'ROLLBACK') throw new Error('The transaction was rolled back: it had failed.');
        return value;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => (isBroken = true));
        throw error;
      } finally {
        client.release(isBroken);
      }
    },
    execute: async (client, text, values) =>
      resultOf(await client.query(placed('postgres', text), [...values])),
    async listen(channel, onNotice, onLost) {
      const client = await pool.connect();
      let isOver = false;
      const end = (isLost: boolean): void => {
        if (isOver) return;
        isOver = true;
        client.release(true);
        if (isLost) onLost();
      };
      const emitter = client as Emitter;
      emitter.on?.('notification', onNotice);
      for (const event of ['error', 'end'] as const) emitter.on?.(event, () => end(true));
      await client.query(`LISTEN ${channel}`).catch((error: unknown) => {
        end(false);
        throw error;
      });
      return { close: async () => end(false) };
    },
  };
}
