/** Money moves between accounts of one database, and each transfer goes through a topic on its way. */
export const accounts = 20;
export const centsEach = 1_000;
export const topic = 'transfers';
export const group = 'bank';

/** What the processes of a bank are told, as JSON in their first argument. */
export interface BankAddress {
  /** The folder of the database's socket. */
  readonly postgres: string;
  readonly natsPort: number;
  readonly seed: number;
}

/** The value of a message. */
export interface Transfer {
  readonly from: number;
  readonly to: number;
  readonly cents: number;
  /** Number of this transfer among those from its account, from 1: given under the lock of the account. */
  readonly number: number;
}

export const schema: string = `
CREATE TABLE account (id integer PRIMARY KEY, cents bigint NOT NULL, sends bigint NOT NULL DEFAULT 0);
INSERT INTO account (id, cents) SELECT n, ${centsEach} FROM generate_series(1, ${accounts}) AS n;
CREATE TABLE sent (id text PRIMARY KEY, from_account integer, to_account integer, cents bigint, number bigint);
-- No key: a transfer that had its effect twice is to be found, not refused.
CREATE TABLE received (id text, to_account integer, cents bigint);
`;
