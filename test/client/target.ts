import { connect, type Client, type ConnectOptions } from '../../src/client/index.ts';
import { makeTemporaryDirectory, startServer, type ServerKind } from '../support/index.ts';

/** A target to run the suite on. */
export interface TestTarget {
  readonly name: string;
  /** Why it cannot be tested here; undefined: it can. */
  readonly skip?: string | undefined;
  start(): Promise<RunningTarget>;
}

export interface RunningTarget extends AsyncDisposable {
  connect(options?: ConnectOptions): Promise<Client>;
  /** For other processes; absent: they have no way to it. */
  readonly url?: string;
  /** Kills the broker, runs `meanwhile`, and starts it again on its data; absent: it is in this process. */
  outage?(meanwhile: () => Promise<void>): Promise<void>;
}

/** In memory all clients of a process would have brokers of their own: the suite has one. */
export const memoryTarget: TestTarget = {
  name: 'memory:',
  start: async () => {
    const open: Client[] = [];
    return {
      connect: async (options) => {
        const client = await connect('memory:', options);
        open.push(client);
        return client;
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all(open.map((client) => client.close()));
      },
    };
  },
};

export const fileTarget: TestTarget = {
  name: 'file:',
  start: async () => {
    const directory = await makeTemporaryDirectory();
    return {
      connect: (options) => connect(`file:${directory.path}/data`, options),
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    };
  },
};

/** JetStream of a server in a process of its own. */
export function natsTarget(kind: ServerKind, skip?: string): TestTarget {
  const scheme = kind === 'pillarbox' ? 'pillarbox' : 'nats';
  return {
    name: `${scheme}://`,
    skip,
    start: async () => {
      const server = await startServer({ kind });
      const url = `${scheme}://${server.natsAddress}`;
      return {
        url,
        connect: (options) => connect(url, options),
        outage: async (meanwhile) => {
          await server.kill();
          await meanwhile();
          await server.restart();
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}
