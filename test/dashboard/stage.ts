import { join } from 'node:path';
import type { Broker, Delivery, Group } from '../../src/broker/index.ts';
import { type PillarboxServer, startServer } from '../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory } from '../support/index.ts';
import { freePorts } from '../support/ports.ts';

type ServerOptions = Parameters<typeof startServer>[0];

/** A running broker with topics, groups and clients in all the states that the dashboard shows. */
export interface Stage extends AsyncDisposable {
  readonly server: PillarboxServer;
  readonly address: string;
  /** Publishes and consumes a little; called again and again, it makes rates. */
  play(): Promise<void>;
}

let authorization: string | undefined;

const customers = ['ada', 'grace', 'edsger', 'barbara', 'donald'];

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** A consumer that takes what it gets, and answers as told. */
class Worker {
  readonly label: string;
  readonly creditBytes: number = Infinity;
  readonly #group: Group;
  readonly #held: Place[] = [];
  readonly #creditMax: number;

  constructor(group: Group, label: string, creditMax: number) {
    this.#group = group;
    this.label = label;
    this.#creditMax = creditMax;
    group.attach(this);
  }

  get credit(): number {
    return this.#creditMax - this.#held.length;
  }

  receive({ partition, record: { offset } }: Delivery): void {
    this.#held.push({ partition, offset }); // the record is used again
  }

  ended(): void {}

  /** Answers the oldest deliveries. */
  answer(count: number, answer: (place: Place) => void): void {
    for (const place of this.#held.splice(0, count)) answer(place);
    this.#group.wake(this);
  }
}

/** `user`: whose login the stage needs to furnish itself. */
export async function makeStage(
  options: ServerOptions = {},
  user?: { readonly name: string; readonly password: string },
): Promise<Stage> {
  authorization = user && `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  const directory = await makeTemporaryDirectory();
  const data = join(directory.path, 'data');
  const server = await startServer({ data, ...freePorts, historyStepMs: 1000, ...options });
  try {
    return await furnish(server, directory);
  } catch (error) {
    await server.close({ graceMs: 0 });
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(server: PillarboxServer, directory: TemporaryDirectory): Promise<Stage> {
  const { broker } = server;
  const address = `http://127.0.0.1:${server.ports['admin']}`;
  const topicOf = async (name: string, rest: object = {}): Promise<void> => {
    await ask(address, 'POST', '/api/v1/topics', { name, ...rest });
  };
  await topicOf('orders', { messagesMax: 60_000, overflow: 'reject' });
  await topicOf('emails');
  await topicOf('payments', { subjects: ['payments.>'] });
  await topicOf('audit', { partitions: 4 });
  const billing = await groupOf(broker, 'orders', 'billing', {
    ackWaitMs: 600_000,
    maxDeliver: 1,
    deadLetter: 'orders-failed',
  });
  const shipping = await groupOf(broker, 'orders', 'shipping', { ackWaitMs: 600_000 });
  await groupOf(broker, 'orders', 'reports', {});
  const senders = await groupOf(broker, 'emails', 'senders', {
    ackWaitMs: 600_000,
    rate: { perSecond: 50, burst: 50 },
  });
  const ledger = await groupOf(broker, 'payments', 'ledger', {});
  await ledger.pause();
  const workers = {
    quick: new Worker(billing, 'billing-1', 40),
    slow: new Worker(billing, 'billing-2', 60),
    shipping: new Worker(shipping, 'shipping-1', 500),
    senders: new Worker(senders, 'sender', 200),
  };
  let order = 0;
  const play = async (): Promise<void> => {
    const orders = Array.from({ length: 60 }, () => orderOf(++order));
    await ask(address, 'POST', '/api/v1/topics/orders/messages', { messages: orders });
    const emails = orders
      .slice(0, 12)
      .map(({ key }) => ({ key, value: `Your order is on its way, ${key}.` }));
    await ask(address, 'POST', '/api/v1/topics/emails/messages', { messages: emails });
    await ask(address, 'POST', '/api/v1/subjects/payments.card/messages', { messages: orders.slice(0, 4) });
    await ask(address, 'POST', '/api/v1/topics/audit/messages', { messages: orders.slice(0, 8) });
    workers.quick.answer(14, ({ partition, offset }) => {
      if (offset % 37 === 0) billing.reject(partition, offset, 'card declined');
      else if (offset % 101 === 0) billing.reject(partition, offset, 'no address');
      else billing.ack(partition, offset);
    });
    workers.slow.answer(1, ({ partition, offset }) => billing.ack(partition, offset));
    workers.shipping.answer(500, ({ partition, offset }) => shipping.ack(partition, offset));
    workers.senders.answer(200, ({ partition, offset }) => senders.ack(partition, offset));
  };
  await play();
  await ask(address, 'POST', '/api/v1/topics/emails/messages', {
    messages: [
      { key: 'ada', value: 'Your trial ends tomorrow.', delayMs: 3_600_000 },
      { key: 'grace', value: 'How did you like it?', delayMs: 86_400_000 },
    ],
  });
  await ask(address, 'POST', '/api/v1/schedules', {
    name: 'nightly-report',
    topic: 'audit',
    cron: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    value: { report: 'orders' },
  });
  await ask(address, 'POST', '/api/v1/schedules', {
    name: 'heartbeat',
    topic: 'audit',
    everyMs: 60_000,
    value: 'tick',
  });
  return {
    server,
    address,
    play,
    async [Symbol.asyncDispose]() {
      await server.close({ graceMs: 100 });
      await directory[Symbol.asyncDispose]();
    },
  };
}

function groupOf(broker: Broker, topic: string, name: string, rest: object): Promise<Group> {
  const owner = broker.topic(topic);
  if (!owner) throw new Error(`no topic ${topic}`);
  return owner.createGroup({ name, ...rest });
}

function orderOf(number: number): { key: string; headers: object[]; value: object } {
  const customer = customers[number % customers.length] ?? '';
  return {
    key: customer,
    headers: [
      { name: 'content-type', value: 'application/json' },
      { name: 'trace', value: `t-${number}` },
    ],
    value: {
      order: number,
      customer: { name: customer, since: 2019 + (number % 6) },
      items: [{ sku: `B-${100 + (number % 17)}`, count: 1 + (number % 3) }],
      total: 10 + (number % 90),
      note: number % 10 === 0 ? '<img src=x onerror="alert(1)">' : null,
    },
  };
}

async function ask(address: string, method: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${address}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
