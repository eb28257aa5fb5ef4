import { connect, type Client, type ConnectOptions } from '../../src/client/index.ts';
import { makeTemporaryDirectory, startServer, type ServerKind, type TestServer } from '../support/index.ts';

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
  readonly outage?: (meanwhile: () => Promise<void>) => Promise<void>;
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

/** AMQP 0-9-1 of a Pillarbox server in a process of its own. */
export const amqpTarget: TestTarget = door(
  'amqp:// of Pillarbox',
  (server) => `amqp://127.0.0.1:${server.amqpPort}`,
);

/** The same for SQS. */
export const sqsTarget: TestTarget = door(
  'sqs:// of Pillarbox',
  (server) => `sqs://key:secret@127.0.0.1:${server.sqsPort}`,
);

/** A door of a Pillarbox server in a process of its own. */
function door(name: string, urlOf: (server: TestServer) => string): TestTarget {
  const start = async (): Promise<RunningTarget> => {
    const server = await startServer();
    const url = urlOf(server);
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
  };
  return { name, start };
}

/** A RabbitMQ that runs on loopback, of whoever set RABBITMQ_PORT: it is not killed. */
export const rabbitTarget: TestTarget = {
  name: 'amqp:// of RabbitMQ',
  skip: process.env['RABBITMQ_PORT'] ? undefined : 'RABBITMQ_PORT is not set (.ci/rabbitmq starts one)',
  start: async () => {
    const url = `amqp://127.0.0.1:${process.env['RABBITMQ_PORT']}`;
    return { url, connect: (options) => connect(url, options), [Symbol.asyncDispose]: async () => {} };
  },
};
