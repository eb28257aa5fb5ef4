import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import type { BankAddress } from './schema.ts';

/** The address that a process of the bank was started with. */
export const address = JSON.parse(process.argv[2] ?? '{}') as BankAddress;

/** The pool of a process. The database may be gone at any moment. */
export function makePool(): Pool {
  const pool = new Pool({
    host: address.postgres,
    user: 'test',
    database: 'bank',
    connectionTimeoutMillis: 5_000,
  });
  pool.on('error', () => undefined);
  return pool;
}

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
// A supervisor that died ends its processes.
process.once('disconnect', () => process.exit(1));

/** Runs a step again and again until SIGTERM. A step that fails is begun anew: anything may be down. */
export async function repeat(step: () => Promise<unknown>): Promise<void> {
  while (!stopping.signal.aborted) {
    try {
      await step();
    } catch {
      await sleep(10);
    }
  }
}
