import assert from 'node:assert/strict';
import { Router, type LiveMessage } from '../../../src/broker/index.ts';
import { NatsFrontend, type NatsEvent, type NatsOptions } from '../../../src/protocols/nats/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import { WireClient } from '../../support/index.ts';

/** Core NATS alone, on a free port. */
export class TestServer implements AsyncDisposable {
  readonly router: Router;
  readonly nats: NatsFrontend;
  readonly port: number;
  readonly events: NatsEvent[];

  private constructor(router: Router, nats: NatsFrontend, port: number, events: NatsEvent[]) {
    this.router = router;
    this.nats = nats;
    this.port = port;
    this.events = events;
  }

  static async start(options: Partial<NatsOptions> = {}): Promise<TestServer> {
    const events: NatsEvent[] = [];
    const router = options.router ?? new Router(new SeededRandom(1));
    const nats = new NatsFrontend({
      serverName: 'test',
      report: (event) => events.push(event),
      ...options,
      router,
    });
    const { port } = await nats.listen({ host: '127.0.0.1', port: 0 });
    return new TestServer(router, nats, port, events);
  }

  /** A connection as it is after the greeting. */
  async greeted(): Promise<WireClient> {
    const client = await WireClient.open(this.port);
    assert.match(await client.line(), /^INFO \{/);
    return client;
  }

  /** A connection after CONNECT with the options clients mostly use, and these. */
  async connect(options: object = {}): Promise<WireClient> {
    const client = await this.greeted();
    const connect = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      protocol: 0,
      ...options,
    };
    client.send(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
    await client.readThrough('PONG\r\n');
    return client;
  }

  /** Why connections were closed, in order. */
  get closeReasons(): string[] {
    return this.events.flatMap((event) => (event.kind === 'closed' ? [event.reason.kind] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nats.close();
  }
}

/** Sends, and expects exactly these answers before the PONG of a PING sent after it. */
export async function says(client: WireClient, said: string, answers: string): Promise<void> {
  client.send(`${said}PING\r\n`);
  assert.equal(await client.readThrough('PONG\r\n'), `${answers}PONG\r\n`);
}

/** The parts of a message, as texts. */
export function partsOf(message: LiveMessage): {
  subject: string;
  reply: string | undefined;
  headers: string[];
  value: string;
} {
  return {
    subject: message.subject,
    reply: message.reply,
    headers: message
      .decodeHeaders()
      .map(({ name, value }) => `${name}: ${Buffer.from(value ?? []).toString()}`),
    value: Buffer.from(message.value).toString(),
  };
}
