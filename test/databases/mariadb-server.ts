import { dirname, join } from 'node:path';
import { createConnection, createPool, type Pool } from 'mysql2/promise';
import type { TemporaryDirectory } from '../support/index.ts';
import { accountOf, Daemon, makeServerDirectory, runAs } from './daemon.ts';

/** The program `mariadbd` or `mysqld` of MariaDB. Absent: tests that need it are skipped. */
const mariadbd = process.env['MARIADBD'] || undefined;
export const noMariadb: string | false =
  mariadbd === undefined && 'MARIADBD names no server of MariaDB (.ci/peers brings one)';

/** A MariaDB server of a test, which listens on a socket in a directory of its own. */
export class MariadbServer implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  readonly #daemon: Daemon;
  readonly socketPath: string;

  private constructor(directory: TemporaryDirectory, daemon: Daemon, socketPath: string) {
    this.#directory = directory;
    this.#daemon = daemon;
    this.socketPath = socketPath;
  }

  static async create(): Promise<MariadbServer> {
    const account = await accountOf('mysql');
    const directory = await makeServerDirectory(account);
    const data = join(directory.path, 'data');
    const server = mariadbd ?? '';
    const install = join(dirname(dirname(server)), 'bin/mariadb-install-db');
    const own = ['--no-defaults', `--datadir=${data}`];
    await runAs(account, install, [...own, '--auth-root-authentication-method=normal', '--skip-test-db']);
    const socketPath = join(directory.path, 'socket');
    const args = [
      ...own,
      `--socket=${socketPath}`,
      '--skip-networking',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=32M',
      `--pid-file=${join(directory.path, 'pid')}`,
    ];
    const created = new MariadbServer(directory, new Daemon(account, server, args), socketPath);
    await created.#daemon.start(async () => {
      const connection = await createConnection({ socketPath, user: 'root' });
      await connection.end();
    });
    return created;
  }

  async createDatabase(name: string): Promise<void> {
    const connection = await createConnection({ socketPath: this.socketPath, user: 'root' });
    await connection.query(`CREATE DATABASE ${name}`);
    await connection.end();
  }

  pool(database: string): Pool {
    return createPool({ socketPath: this.socketPath, user: 'root', database });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop('SIGTERM');
    await this.#directory[Symbol.asyncDispose]();
  }
}
