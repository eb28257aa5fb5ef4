import { join } from 'node:path';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { TemporaryDirectory } from '../support/index.ts';
import { Daemon, makeServerDirectory } from './daemon.ts';

/** The program `redis-server`. Absent: tests that need it are skipped. */
const redisServer = process.env['REDIS_SERVER'] || undefined;
export const noRedis: string | false =
  redisServer === undefined && 'REDIS_SERVER names no server of Redis (.ci/peers brings one)';

/** A Redis server of a test, which listens on a socket in a directory of its own. */
export class RedisServer implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  readonly #daemon: Daemon;
  readonly socketPath: string;

  private constructor(directory: TemporaryDirectory, daemon: Daemon, socketPath: string) {
    this.#directory = directory;
    this.#daemon = daemon;
    this.socketPath = socketPath;
  }

  static async create(): Promise<RedisServer> {
    const directory = await makeServerDirectory(undefined);
    const socketPath = join(directory.path, 'socket');
    const args = ['--port', '0', '--unixsocket', socketPath, '--dir', directory.path, '--save', ''];
    const server = new RedisServer(directory, new Daemon(undefined, redisServer ?? '', args), socketPath);
    await server.#daemon.start(async () => {
      const socket = connect(socketPath);
      await once(socket, 'connect');
      socket.destroy();
    });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop('SIGTERM');
    await this.#directory[Symbol.asyncDispose]();
  }
}
