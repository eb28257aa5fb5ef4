import { join } from 'node:path';
import { Pool, type PoolConfig } from 'pg';
import type { TemporaryDirectory } from '../support/index.ts';
import { accountOf, Daemon, makeServerDirectory, runAs } from './daemon.ts';

/** The folder of `initdb` and `postgres`. Absent: tests that need PostgreSQL are skipped. */
export const postgresBin: string | undefined = process.env['POSTGRES_BIN'] || undefined;
export const noPostgres: string | false =
  postgresBin === undefined && 'POSTGRES_BIN names no folder of PostgreSQL (.ci/peers brings one)';

/** A PostgreSQL server of a test, which listens on a socket in a directory of its own. */
export class PostgresServer implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  readonly #daemon: Daemon;
  readonly #admin: Pool;

  private constructor(directory: TemporaryDirectory, daemon: Daemon) {
    this.#directory = directory;
    this.#daemon = daemon;
    this.#admin = this.pool('postgres', { max: 1 });
  }

  /** `fsync: 'off'` for tests that end no server. */
  static async create(fsync: 'on' | 'off' = 'off'): Promise<PostgresServer> {
    const account = await accountOf('postgres');
    const directory = await makeServerDirectory(account);
    const data = join(directory.path, 'data');
    const bin = postgresBin ?? '';
    await runAs(account, join(bin, 'initdb'), [
      '-D',
      data,
      '-U',
      'test',
      '-A',
      'trust',
      '--no-sync',
      '-E',
      'UTF8',
    ]);
    const settings = ['listen_addresses=', `fsync=${fsync}`, 'max_connections=60', 'shared_buffers=32MB'];
    const args = ['-D', data, '-k', directory.path, ...settings.flatMap((setting) => ['-c', setting])];
    const server = new PostgresServer(directory, new Daemon(account, join(bin, 'postgres'), args));
    await server.start();
    return server;
  }

  /** The folder of its socket: the `host` of clients. */
  get host(): string {
    return this.#directory.path;
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  start(): Promise<void> {
    return this.#daemon.start(() => this.#admin.query('SELECT 1'));
  }

  pool(database: string, options: PoolConfig = {}): Pool {
    const pool = new Pool({ host: this.host, user: 'test', database, ...options });
    pool.on('error', () => undefined); // an idle connection that the server has ended
    return pool;
  }

  async createDatabase(name: string): Promise<void> {
    await this.#admin.query(`CREATE DATABASE ${name}`);
  }

  /** SIGKILL, to the first process of the server; the others notice and end. */
  kill(): Promise<void> {
    return this.#daemon.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.end();
    await this.#daemon.stop('SIGQUIT');
    await this.#directory[Symbol.asyncDispose]();
  }
}
