import type { Connection, ConnectionInfo } from './connection.ts';

/** What the connections of a protocol have carried since the start. */
export interface Traffic {
  readonly connections: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Absent: the protocol does not count them. */
  readonly requests?: number;
  readonly inMessages?: number;
  readonly outMessages?: number;
}

const counters = ['connections', 'inBytes', 'outBytes', 'requests', 'inMessages', 'outMessages'] as const;
type Totals = { [C in (typeof counters)[number]]?: number };

/** Connections that are read at once: some milliseconds. */
const readAtOnce = 2_000;

/** The traffic counter sums up what connections count themselves, and keeps it when they close. */
export class TrafficCounter {
  readonly #closed = new Map<string, Totals>();
  /** The last sums: a connection that closes while they are made must not make them smaller. */
  readonly #told = new Map<string, Totals>();

  /** A connection has closed. */
  closed(connection: Connection): void {
    add(this.#closed, connection.info());
  }

  /** By protocol, for those that had a connection. `rest` is awaited between many connections. */
  async sum(open: Iterable<Connection>, rest: () => Promise<void>): Promise<ReadonlyMap<string, Traffic>> {
    const sums = new Map<string, Totals>();
    let count = 0;
    for (const connection of open) {
      add(sums, connection.info());
      if (++count % readAtOnce === 0) await rest();
    }
    for (const [protocol, totals] of this.#closed)
      for (const name of counters) raise(sums, protocol, name, totals[name]);
    for (const [protocol, totals] of sums) {
      const told = this.#told.get(protocol) ?? {};
      for (const name of counters) {
        const value = totals[name];
        if (value !== undefined) told[name] = Math.max(value, told[name] ?? 0);
      }
      this.#told.set(protocol, told);
    }
    return this.#told as ReadonlyMap<string, Traffic>;
  }
}

function add(sums: Map<string, Totals>, info: ConnectionInfo): void {
  const counted = info as ConnectionInfo & Totals;
  for (const name of counters) raise(sums, info.protocol, name, name === 'connections' ? 1 : counted[name]);
}

function raise(
  sums: Map<string, Totals>,
  protocol: string,
  name: keyof Totals,
  by: number | undefined,
): void {
  if (by === undefined) return;
  const totals = sums.get(protocol) ?? {};
  sums.set(protocol, totals);
  totals[name] = (totals[name] ?? 0) + by;
}
