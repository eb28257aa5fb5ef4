import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { fromPg, inbox } from '../../src/inbox/index.ts';
import { outbox } from '../../src/outbox/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { Child, scriptPath } from '../crash/child.ts';
import { connectPatiently } from '../crash/connection.ts';
import { PostgresServer } from '../databases/postgres-server.ts';
import { eventually, startServer, type TestServer } from '../support/index.ts';
import { accounts, centsEach, group, schema, topic, type BankAddress, type Transfer } from './schema.ts';

export interface BankOptions {
  /** Kills, one a round. */
  readonly rounds: number;
  readonly seed: number;
  /** Checks the sum after each so many rounds. */
  readonly checkEvery?: number;
  readonly onProgress?: (line: string) => void;
}

export interface BankResult {
  readonly kills: { [who in Victim]: number };
  readonly transfers: number;
  /** How often the sum was checked while money was under way. */
  readonly sums: number;
  readonly seconds: number;
  /** Broken promises. */
  readonly violations: readonly string[];
}

const roles = ['publisher', 'relay', 'consumer'] as const;
type Role = (typeof roles)[number];
type Victim = Role | 'broker' | 'database';

/** Ten kills: which. */
const victims: readonly Victim[] = [
  ...(['publisher', 'relay', 'relay', 'consumer', 'consumer'] as const),
  ...(['publisher', 'relay', 'broker', 'broker', 'database'] as const),
];
const processesEach = 2;

/**
 * A bank whose transfers go from an outbox through a broker to an inbox, in processes that are killed at
 * random moments: two publishers, two relays, two consumers, the broker and the database.
 */
export async function runBank(options: BankOptions): Promise<BankResult> {
  const startMs = performance.now();
  await using database = await PostgresServer.create('on');
  await database.createDatabase('bank');
  await using broker = await startServer({ kind: 'pillarbox' });
  const pool = database.pool('bank', { max: 4 });
  try {
    const bank = new Bank(database, broker, pool, options);
    await bank.open();
    const result = await bank.run();
    return { ...result, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    await pool.end();
  }
}

class Bank {
  readonly #database: PostgresServer;
  readonly #broker: TestServer;
  readonly #pool: Pool;
  readonly #options: BankOptions;
  readonly #random: SeededRandom;
  readonly #children: { [role in Role]: Child[] } = { publisher: [], relay: [], consumer: [] };
  readonly #violations: string[] = [];

  constructor(database: PostgresServer, broker: TestServer, pool: Pool, options: BankOptions) {
    this.#database = database;
    this.#broker = broker;
    this.#pool = pool;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async open(): Promise<void> {
    await this.#pool.query(schema);
    await outbox({ database: fromPg(this.#pool) }).migrate();
    await inbox({ database: fromPg(this.#pool), consumer: group }).migrate();
    const connection = await connectPatiently(this.#broker.natsPort, 'bank');
    const manager = await jetstreamManager(connection);
    // An hour of dedupe: longer than any of these processes is down.
    await manager.streams.add({ name: topic, subjects: [`${topic}.*`], duplicate_window: 3_600e9 });
    await manager.consumers.add(topic, {
      durable_name: group,
      ack_policy: 'explicit',
      ack_wait: 2e9,
      max_deliver: -1,
      max_ack_pending: 64,
    });
    await connection.close();
    for (const role of roles)
      for (let n = 0; n < processesEach; n++) this.#children[role].push(this.#spawn(role));
  }

  async run(): Promise<Omit<BankResult, 'seconds'>> {
    const { rounds, checkEvery = 20, onProgress } = this.#options;
    const kills = { publisher: 0, relay: 0, consumer: 0, broker: 0, database: 0 };
    let sums = 0;
    for (let round = 1; round <= rounds && this.#violations.length === 0; round++) {
      await sleep(10 + 250 * this.#random.next());
      const victim = victims[Math.floor(this.#random.next() * victims.length)]!;
      kills[victim]++;
      await this.#kill(victim);
      this.#checkProcesses();
      if (round % checkEvery > 0) continue;
      await this.#checkSum(`after round ${round}`);
      sums++;
      onProgress?.(`${round} kills`);
    }
    await this.#settle();
    await this.#checkSum('at the end');
    await this.#checkTransfers();
    await this.#checkTopic();
    const { rows } = await this.#pool.query<{ n: string }>('SELECT count(*) AS n FROM sent');
    return { kills, transfers: Number(rows[0]?.n), sums: sums + 1, violations: this.#violations };
  }

  #spawn(role: Role): Child {
    const address: BankAddress = {
      postgres: this.#database.host,
      natsPort: this.#broker.natsPort,
      seed: Math.floor(this.#random.next() * 2 ** 31),
    };
    return new Child(process.execPath, [scriptPath(`../bank/${role}-process.js`), JSON.stringify(address)], {
      ipc: true,
    });
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim === 'broker') {
      await this.#broker.kill();
      return this.#broker.restart();
    }
    if (victim === 'database') {
      await this.#database.kill();
      // The other processes of the server may still be about to notice.
      await eventually(async () => (await this.#database.start(), true), {
        message: 'the database to start again',
      });
      return;
    }
    const children = this.#children[victim];
    const at = Math.floor(this.#random.next() * children.length);
    await children[at]!.kill();
    children[at] = this.#spawn(victim);
  }

  /** Ends the publishers, and waits until all that was sent has arrived, or nothing arrives any more. */
  async #settle(): Promise<void> {
    const stop = async (children: readonly Child[]): Promise<void> => {
      for (const child of children) child.process.kill('SIGTERM');
      await Promise.all(children.map(({ ended }) => ended));
    };
    await stop(this.#children.publisher);
    const query = `SELECT (SELECT count(*) FROM pillarbox_outbox) AS waiting,
      (SELECT count(*) FROM sent) AS sent, (SELECT count(DISTINCT id) FROM received) AS received`;
    // As long as it takes while some arrive: a backlog is no broken promise, a standstill is.
    let left = Infinity;
    for (let looks = 0; left > 0 && looks < 300; looks++) {
      const { rows } = await this.#pool.query<{ waiting: string; sent: string; received: string }>(query);
      const { waiting, sent, received } = rows[0]!;
      const nowLeft = Number(waiting) + Number(sent) - Number(received);
      if (nowLeft < left) looks = 0;
      if (looks % 50 === 0) this.#options.onProgress?.(`${nowLeft} on their way`);
      left = nowLeft;
      if (left > 0) await sleep(100);
    }
    if (left > 0) this.#violations.push(`${left} transfers are on their way, and for 30 s none arrived`);
    await Promise.all([...this.#children.relay, ...this.#children.consumer].map((child) => child.kill()));
  }

  /** A process that nobody killed is alive. */
  #checkProcesses(): void {
    for (const role of roles)
      for (const { end, output } of this.#children[role])
        if (end !== undefined)
          this.#violations.push(`a ${role} ended by itself (${end}): ${output.slice(-3000)}`);
  }

  /** What the accounts have, and what is under way, is what there was: at any moment. */
  async #checkSum(when: string): Promise<void> {
    const { rows } = await this.#pool.query<{ sum: string }>(`SELECT (SELECT sum(cents) FROM account)
      + (SELECT coalesce(sum(cents), 0) FROM sent)
      - (SELECT coalesce(sum(cents), 0) FROM received) AS sum`);
    const sum = Number(rows[0]?.sum);
    if (sum !== accounts * centsEach) this.#violations.push(`the sum is ${sum} ${when}`);
  }

  async #checkTransfers(): Promise<void> {
    const { rows } = await this.#pool.query<{
      id: string;
      times: string;
    }>(`SELECT sent.id, count(received.id) AS times
      FROM sent LEFT JOIN received ON received.id = sent.id AND received.cents = sent.cents
      AND received.to_account = sent.to_account GROUP BY sent.id HAVING count(received.id) <> 1`);
    for (const { id, times } of rows) this.#violations.push(`transfer ${id} had its effect ${times} times`);
    const { rows: strange } = await this.#pool.query<{ id: string }>(
      'SELECT id FROM received WHERE id NOT IN (SELECT id FROM sent)',
    );
    for (const { id } of strange) this.#violations.push(`transfer ${id} was never sent`);
  }

  /** The topic has each transfer once, and those of each account in the order in which it sent them. */
  async #checkTopic(): Promise<void> {
    const connection = await connectPatiently(this.#broker.natsPort, 'bank');
    const manager = await jetstreamManager(connection);
    const { state } = await manager.streams.info(topic);
    const last = new Map<number, number>();
    const consumer = await jetstream(connection).consumers.get(topic);
    const messages = await consumer.consume();
    let left = state.messages;
    if (left > 0)
      for await (const message of messages) {
        const { from, number } = message.json<Transfer>();
        const before = last.get(from) ?? 0;
        if (number !== before + 1)
          this.#violations.push(`in the topic, transfer ${number} of account ${from} follows ${before}`);
        last.set(from, number);
        if (--left === 0) break;
      }
    await connection.close();
    const { rows } = await this.#pool.query<{ id: number; sends: string }>('SELECT id, sends FROM account');
    for (const { id, sends } of rows)
      if (Number(sends) !== (last.get(id) ?? 0))
        this.#violations.push(`the topic has ${last.get(id) ?? 0} of ${sends} transfers of account ${id}`);
  }
}
