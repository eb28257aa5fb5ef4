import assert from 'node:assert/strict';
import { Hall, Listener } from '../../../src/protocols/connections/index.ts';
import { AmqpAdminFrontend } from '../../../src/protocols/amqp-admin/index.ts';
import type { Clock } from '../../../src/util/index.ts';
import { Users, type User } from '../../../src/protocols/users/index.ts';
import { TestServer, type Peer } from '../amqp/amqp-kit.ts';

/** A body of an answer, for tests to look into. */
// oxlint-disable-next-line typescript/no-explicit-any
type Body = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface AskOptions {
  readonly user?: string;
  readonly password?: string;
  readonly headers?: { readonly [name: string]: string };
}

/** The management API and AMQP, on free ports, over a broker in memory. */
export class AdminServer implements AsyncDisposable {
  readonly amqp: TestServer;
  readonly users: Users;
  readonly errors: unknown[];
  readonly port: number;
  readonly #frontend: AmqpAdminFrontend;
  readonly #listener: Listener;

  private constructor(
    amqp: TestServer,
    users: Users,
    frontend: AmqpAdminFrontend,
    listener: Listener,
    port: number,
    errors: unknown[],
  ) {
    this.amqp = amqp;
    this.users = users;
    this.#frontend = frontend;
    this.#listener = listener;
    this.port = port;
    this.errors = errors;
  }

  static async start(
    options: Parameters<typeof TestServer.start>[0] & {
      readonly configured?: readonly User[];
      /** That of the management API: default: that of the broker. */
      readonly clock?: Clock;
      /** That of the management API: default: its own. */
      readonly doorHall?: Hall;
    } = {},
  ): Promise<AdminServer> {
    const { configured = [], clock, doorHall, ...rest } = options;
    const users = new Users(configured);
    const amqp = await TestServer.start({ ...rest, users });
    const hall = doorHall ?? new Hall(clock ?? amqp.broker.clock);
    const errors: unknown[] = [];
    const frontend = new AmqpAdminFrontend({
      amqp: amqp.amqp.managed,
      hall,
      users,
      version: '1.2.3',
      report: (error) => errors.push(error),
    });
    const listener = Listener.for((socket) => frontend.accept(socket));
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    frontend.listening({ host: '127.0.0.1', port });
    return new AdminServer(amqp, users, frontend, listener, port, errors);
  }

  /** Sends a request: `GET /api/queues`. A body that is a text is sent as it is. */
  async ask(
    line: string,
    body?: object | string,
    { user = 'guest', password = user, headers = {} }: AskOptions = {},
  ): Promise<Answer> {
    const [method = '', path = ''] = line.split(' ');
    const response = await fetch(`http://127.0.0.1:${this.port}/api${path}`, {
      method,
      headers: {
        ...(user !== '' && {
          authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  }

  /** The body of the answer to a GET. */
  async get(path: string, options?: AskOptions): Promise<Body> {
    const { status, body } = await this.ask(`GET ${path}`, undefined, options);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** The answer as one text: `404 Object Not Found: Not Found`, `204`. */
  async told(line: string, body?: object | string, options?: AskOptions): Promise<string> {
    const answer = await this.ask(line, body, options);
    if (answer.body?.error === undefined) return String(answer.status);
    const { error, reason } = answer.body;
    return `${answer.status} ${error}: ${typeof reason === 'string' ? reason : JSON.stringify(reason)}`;
  }

  /** An AMQP connection with channel 1. */
  open(): Promise<Peer> {
    return this.amqp.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    void this.#listener.close();
    await this.#frontend.close();
    await this.amqp[Symbol.asyncDispose]();
  }
}
