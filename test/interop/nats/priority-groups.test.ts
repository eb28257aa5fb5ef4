/**
 * Priority groups of pull requests, as they go over the wire. Each script is played on our server and, if
 * there is one, on nats-server: both must write the same transcript.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AckPolicy, type Consumer, type PriorityPolicy } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import {
  comparedPath,
  eventually,
  startServer,
  type ServerKind,
  type TestServer,
} from '../../support/index.ts';
import { useNats } from './clients.ts';

const second = 1e9;

/** What one inbox received, in words. */
class Inbox {
  readonly #stage: Stage;
  readonly #name: string;
  readonly #subscription: Subscription;
  readonly #messages: AsyncIterator<Msg>;

  constructor(stage: Stage, name: string) {
    this.#stage = stage;
    this.#name = name;
    this.#subscription = stage.nc.subscribe(`_INBOX.${stage.stream}.${name}`);
    this.#messages = this.#subscription[Symbol.asyncIterator]();
  }

  /** Sends a pull request; an id is that of a pin in the transcript, such as `P1`. */
  pull(body: object | string): void {
    const text =
      typeof body === 'string'
        ? body
        : JSON.stringify(body, (_, value: unknown) => this.#stage.idOf(value as string) ?? value);
    this.#stage.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.#stage.stream}.c`, text, {
      reply: this.#subscription.getSubject(),
    });
  }

  /** Takes this many messages or statuses into the transcript. */
  async take(count: number = 1): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { value } = (await this.#messages.next()) as { value: Msg };
      this.#stage.say(`${this.#name}: ${this.#stage.describe(value)}`);
    }
  }
}

/** A stream with a consumer, and the transcript of what happens to them. */
class Stage {
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly transcript: string[] = [];
  readonly #pins = new Map<string, string>();
  readonly #toAck: Msg[] = [];
  #advisories: AsyncIterator<Msg> | undefined;

  constructor(nc: NatsConnection, stream: string) {
    this.nc = nc;
    this.stream = stream;
  }

  async start(config: object): Promise<void> {
    await this.ask(`STREAM.CREATE.${this.stream}`, { name: this.stream, subjects: [this.stream] });
    const advisories = this.nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.*.${this.stream}.c`);
    this.#advisories = advisories[Symbol.asyncIterator]();
    const answer = await this.ask(`CONSUMER.CREATE.${this.stream}.c`, {
      stream_name: this.stream,
      config: { name: 'c', durable_name: 'c', ack_policy: 'explicit', priority_groups: ['g'], ...config },
    });
    assert.equal(answer['error'], undefined);
    await this.advisory(); // CREATED
  }

  async ask(verb: string, body: object = {}): Promise<{ readonly [member: string]: unknown }> {
    const answer = await this.nc.request(`$JS.API.${verb}`, JSON.stringify(body), { timeout: 20_000 });
    return answer.json();
  }

  inbox(name: string): Inbox {
    return new Inbox(this, name);
  }

  async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.nc.request(this.stream, String(i), { timeout: 20_000 });
  }

  /** Acks the messages taken so far. */
  async ackAll(): Promise<void> {
    for (const message of this.#toAck.splice(0))
      await this.nc.request(message.reply!, '', { timeout: 20_000 });
  }

  /** Takes the next advisory into the transcript. */
  async advisory(): Promise<void> {
    const { value } = (await this.#advisories!.next()) as { value: Msg };
    const { id: _, timestamp: __, stream: ___, ...rest } = value.json<{ [member: string]: unknown }>();
    if (rest['action'] === 'create') return;
    const pinned = rest['pinned_id'];
    this.say(
      JSON.stringify(pinned === undefined ? rest : { ...rest, pinned_id: this.#pinOf(pinned as string) }),
    );
  }

  /** nats-server takes pull requests in the background, so their number is waited for. */
  async info(waiting: number): Promise<void> {
    const answer = await eventually(async () => {
      const info = await this.ask(`CONSUMER.INFO.${this.stream}.c`);
      return info['num_waiting'] === waiting && info;
    });
    const [state] = answer['priority_groups'] as {
      pinned_client_id?: string;
      pinned_ts: string;
      group: string;
    }[];
    const pin = state?.pinned_client_id;
    const since = state?.pinned_ts.startsWith('0001') ? 'never' : 'some time';
    this.say(`info: ${state?.group} ${pin === undefined ? '-' : this.#pinOf(pin)} ${since}`);
  }

  async unpin(): Promise<void> {
    this.say(JSON.stringify(await this.ask(`CONSUMER.UNPIN.${this.stream}.c`, { group: 'g' })));
  }

  say(line: string): void {
    this.transcript.push(line);
  }

  describe(message: Msg): string {
    const { headers } = message;
    if (headers?.code) {
      const more = [...headers].map(([name, values]) => ` ${name}=${values.join()}`).join('');
      return `${headers.code} ${headers.description}${more}`;
    }
    this.#toAck.push(message);
    const pin = headers?.get('Nats-Pin-Id');
    return `${message.reply!.split('.')[5]}${pin ? ` ${this.#pinOf(pin)}` : ''}`;
  }

  /** Pin ids are random: the transcript counts them. */
  #pinOf(id: string): string {
    assert.equal(id.length, 22);
    const known = this.#pins.get(id) ?? `P${this.#pins.size + 1}`;
    this.#pins.set(id, known);
    return known;
  }

  idOf(pin: string): string | undefined {
    for (const [id, name] of this.#pins) if (name === pin) return id;
    return undefined;
  }
}

interface Script {
  readonly name: string;
  readonly config: object;
  readonly play: (stage: Stage) => Promise<void>;
  readonly transcript: readonly string[];
}

const long = { group: 'g', expires: 30 * second };

const scripts: readonly Script[] = [
  {
    name: 'overflow: a request takes messages while enough are pending, or in flight',
    config: { priority_policy: 'overflow' },
    play: async (s) => {
      const helper = s.inbox('helper');
      helper.pull({ ...long, batch: 10, min_pending: 3 });
      await s.publish(2);
      helper.pull({ group: 'g', batch: 1, no_wait: true, min_pending: 99 });
      await helper.take();
      await s.publish(1);
      await helper.take();
      const worker = s.inbox('worker');
      worker.pull({ ...long, batch: 2 });
      await worker.take(2);
      const second = s.inbox('second');
      second.pull({ ...long, batch: 10, min_ack_pending: 3 });
      await s.publish(1);
      await second.take();
      await s.ackAll();
      await s.info(2);
    },
    transcript: [
      'helper: 408 Requests Pending',
      'helper: 1',
      'worker: 2',
      'worker: 3',
      'second: 4',
      'info: g - never',
    ],
  },
  {
    name: 'prioritized: the lowest number first, in turns within one number',
    config: { priority_policy: 'prioritized' },
    play: async (s) => {
      const [low, a, b, plain] = ['low', 'a', 'b', 'plain'].map((name) => s.inbox(name));
      plain!.pull('2');
      low!.pull({ ...long, batch: 5, priority: 9 });
      a!.pull({ ...long, batch: 2, priority: 1 });
      b!.pull({ ...long, batch: 2, priority: 1 });
      await s.info(4);
      await s.publish(6);
      await a!.take(2);
      await b!.take(2);
      await low!.take(2);
      a!.pull({ ...long, batch: 1 });
      await s.info(3);
      await s.publish(4);
      await a!.take();
      await low!.take(3);
      await s.publish(2);
      await plain!.take(2);
    },
    transcript: [
      'info: g - never',
      'a: 1',
      'a: 3',
      'b: 2',
      'b: 4',
      'low: 5',
      'low: 6',
      'info: g - never',
      'a: 7',
      'low: 8',
      'low: 9',
      'low: 10',
      'plain: 11',
      'plain: 12',
    ],
  },
  {
    name: 'pinned: the first to get a message gets all of them, and others wait',
    config: { priority_policy: 'pinned_client' },
    play: async (s) => {
      const [a, b] = ['a', 'b'].map((name) => s.inbox(name));
      a!.pull({ ...long, batch: 1 });
      await s.info(1);
      b!.pull({ ...long, batch: 5 });
      await s.info(2);
      await s.publish(2);
      await a!.take();
      await s.advisory();
      await s.info(1);
      a!.pull({ ...long, batch: 2, id: 'P1' });
      await a!.take();
      b!.pull({ group: 'g', batch: 1, id: 'someone' });
      await b!.take();
      b!.pull({ group: 'g', batch: 1, no_wait: true });
      await b!.take();
      await s.publish(1);
      await a!.take();
      await s.info(1);
    },
    transcript: [
      'info: g - never',
      'info: g - never',
      'a: 1 P1',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P1"}',
      'info: g P1 some time',
      'a: 2 P1',
      'b: 423 Nats-Pin-Id mismatch',
      'b: 404 No Messages',
      'a: 3 P1',
      'info: g P1 some time',
    ],
  },
  {
    name: 'pinned: unpinned by the API, the next one takes over',
    config: { priority_policy: 'pinned_client' },
    play: async (s) => {
      await s.unpin();
      await s.advisory();
      const [a, b] = ['a', 'b'].map((name) => s.inbox(name));
      a!.pull({ ...long, batch: 5 });
      await s.info(1);
      b!.pull({ ...long, batch: 1 });
      await s.info(2);
      await s.publish(1);
      await a!.take();
      await s.advisory();
      await s.unpin();
      await s.advisory();
      await s.publish(1);
      await b!.take();
      await s.advisory();
      await s.publish(1); // nats-server tells a former client when it is its turn
      await a!.take();
      a!.pull({ group: 'g', batch: 1, id: 'P1' });
      await a!.take();
      await s.info(0);
    },
    transcript: [
      '{"type":"io.nats.jetstream.api.v1.consumer_unpin_response"}',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_unpinned","account":"$G","consumer":"c","group":"g","reason":"admin"}',
      'info: g - never',
      'info: g - never',
      'a: 1 P1',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P1"}',
      '{"type":"io.nats.jetstream.api.v1.consumer_unpin_response"}',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_unpinned","account":"$G","consumer":"c","group":"g","reason":"admin"}',
      'b: 2 P2',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P2"}',
      'a: 423 Nats-Wrong-Pin-Id Nats-Pending-Messages=4 Nats-Pending-Bytes=0',
      'a: 423 Nats-Pin-Id mismatch',
      'info: g P2 some time',
    ],
  },
  {
    name: 'pinned: a client that does not pull for priority_timeout is pinned no longer, even if it acks',
    config: { priority_policy: 'pinned_client', priority_timeout: 0.3 * second },
    play: async (s) => {
      const [a, b] = ['a', 'b'].map((name) => s.inbox(name));
      a!.pull({ ...long, batch: 1 });
      await s.publish(2);
      await a!.take();
      await s.advisory();
      b!.pull({ ...long, batch: 5, max_bytes: 5000 });
      await s.ackAll();
      await s.advisory();
      await b!.take();
      await s.advisory();
      await s.advisory();
      a!.pull({ ...long, batch: 1 });
      await s.publish(1);
      await b!.take();
      await a!.take();
      await s.advisory();
    },
    transcript: [
      'a: 1 P1',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P1"}',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_unpinned","account":"$G","consumer":"c","group":"g","reason":"timeout"}',
      'b: 2 P2',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P2"}',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_unpinned","account":"$G","consumer":"c","group":"g","reason":"timeout"}',
      'b: 423 Nats-Wrong-Pin-Id Nats-Pending-Messages=4 Nats-Pending-Bytes=4953',
      'a: 3 P3',
      '{"type":"io.nats.jetstream.advisory.v1.consumer_group_pinned","account":"$G","consumer":"c","group":"g","pinned_id":"P3"}',
    ],
  },
  ...[
    [
      'none',
      {},
      ['Not a Overflow', 'Not a Overflow', 'Not a Pinned Client', 'between 0 and 9', 'between 0 and 9', '1'],
    ],
    [
      'overflow',
      { group: 'g' },
      ['1', '1', 'Not a Pinned Client', 'between 0 and 9', 'between 0 and 9', '1'],
    ],
    [
      'prioritized',
      { group: 'g' },
      ['Not a Overflow', 'Not a Overflow', 'Not a Pinned Client', 'between', 'between', '1'],
    ],
    [
      'prioritized',
      {},
      ['Not a Overflow', 'Not a Overflow', 'Not a Pinned Client', 'between', 'between', 'missing'],
    ],
    [
      'pinned_client',
      { group: 'h' },
      ['Not a Overflow', 'Not a Overflow', 'Invalid', 'between', 'between', 'Invalid'],
    ],
  ].map(([policy, base]) => ({
    name: `${policy as string}: what a request may not say, in ${JSON.stringify(base)}`,
    config: { priority_policy: policy, ...(policy === 'none' ? { priority_groups: [] } : {}) },
    play: async (s: Stage) => {
      for (const more of [
        { min_pending: 1 },
        { min_ack_pending: -1 },
        { id: 'x' },
        { priority: 10 },
        { priority: -1 },
        { priority: 9 },
      ]) {
        const inbox = s.inbox(JSON.stringify(more));
        await s.publish(1);
        inbox.pull({ ...(base as object), expires: 30 * second, ...more });
        await inbox.take();
      }
    },
    transcript: [],
  })),
];

describe('priority groups', { timeout: 120_000, concurrency: 4 }, () => {
  const servers = new Map<ServerKind, TestServer>();
  const connections: NatsConnection[] = [];
  let streams = 0;

  before(async () => {
    servers.set('pillarbox', await startServer({ kind: 'pillarbox' }));
    if (comparedPath !== undefined) servers.set('nats-server', await startServer({ kind: 'nats-server' }));
  });
  after(async () => {
    for (const connection of connections) await connection.close();
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
  });

  const play = async (kind: ServerKind, { config, play: run }: Script): Promise<readonly string[]> => {
    const nc = await connect({ servers: servers.get(kind)!.natsAddress });
    connections.push(nc);
    const stage = new Stage(nc, `s${100 + ++streams}`);
    await stage.start(config);
    await run(stage);
    return stage.transcript;
  };

  for (const script of scripts) {
    test(script.name, async () => {
      const ours = await play('pillarbox', script);
      if (script.transcript.length > 0) assert.deepEqual(ours, script.transcript);
    });
    test(`${script.name}: as on nats-server`, async (t) => {
      if (!servers.has('nats-server')) return t.skip('there is no nats-server: set NATS_SERVER to its path');
      assert.deepEqual(await play('pillarbox', script), await play('nats-server', script));
    });
  }
});

describe('priority groups of nats.js', { timeout: 60_000 }, () => {
  const { nc, jsm, js, addStream } = useNats();

  /** A stream with a consumer of that policy. */
  const addConsumer = async (policy: PriorityPolicy): Promise<{ name: string; consumer: Consumer }> => {
    const { name } = await addStream();
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      priority_groups: ['g'],
      priority_policy: policy,
    });
    return { name, consumer: await js().consumers.get(name, 'c') };
  };
  const consume = async (
    consumer: Consumer,
    options: object,
  ): Promise<{ got: string[]; notes: string[]; stop: () => Promise<unknown> }> => {
    const got: string[] = [];
    const notes: string[] = [];
    const messages = await consumer.consume({
      group: 'g',
      max_messages: 10,
      expires: 2_000, // a client that has lost its pin may hear of it with its next pull only
      ...options,
      callback: (message) => {
        got.push(message.string());
        message.ack();
      },
    });
    void (async () => {
      for await (const { type } of messages.status())
        if (type === 'consumer_pinned' || type === 'consumer_unpinned') notes.push(type);
    })();
    return { got, notes, stop: () => messages.close() };
  };
  const publish = async (name: string, ...values: string[]): Promise<void> => {
    for (const value of values) await js().publish(`${name}.a`, value);
  };

  test('one client is pinned, and the other takes over when it is unpinned', async () => {
    const { name, consumer } = await addConsumer('pinned_client');
    const a = await consume(consumer, {});
    await publish(name, '1');
    await eventually(() => a.got.length === 1);
    const b = await consume(await js().consumers.get(name, 'c'), {});
    await publish(name, ...Array.from({ length: 19 }, (_, i) => String(i + 2)));
    await eventually(() => a.got.length === 20);
    assert.deepEqual([b.got, a.notes], [[], ['consumer_pinned']]);
    await jsm().consumers.unpin(name, 'c', 'g');
    await publish(name, 'then');
    await eventually(() => b.got.length + a.got.length === 21);
    await eventually(() => a.notes.includes('consumer_unpinned'));
    assert.deepEqual(b.got, ['then']);
    await Promise.all([a.stop(), b.stop()]);
  });

  test('the client of the lowest number gets the messages while it pulls', async () => {
    const { name, consumer } = await addConsumer('prioritized');
    const low = await consume(consumer, { priority: 5 });
    const high = await consume(await js().consumers.get(name, 'c'), { priority: 1 });
    await nc().flush();
    await publish(name, '1', '2', '3');
    await eventually(() => high.got.length === 3);
    await high.stop();
    await publish(name, '4');
    await eventually(() => low.got.length === 1);
    await low.stop();
  });

  test('a client for the overflow helps only when enough is pending', async () => {
    const { name, consumer } = await addConsumer('overflow');
    const helper = await consume(consumer, { min_pending: 3 });
    await publish(name, '1', '2');
    const { num_pending: pending } = await jsm().consumers.info(name, 'c');
    assert.deepEqual([pending, helper.got], [2, []]);
    await publish(name, '3');
    await eventually(() => helper.got.length === 1);
    await helper.stop();
  });
});
