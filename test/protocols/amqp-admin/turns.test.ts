/** Requests about many objects take turns with other connections. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, SteppedClock } from '../../support/index.ts';
import type { Peer } from '../amqp/amqp-kit.ts';
import { AdminServer } from './admin-kit.ts';

/** A stepped clock that can hold back the next turns. */
class HoldingClock extends SteppedClock {
  #held: (() => void)[] | undefined = undefined;

  override defer(callback: () => void): void {
    if (!this.#held) return super.defer(callback);
    this.turns++;
    this.#held.push(callback);
  }

  hold(): void {
    this.turns = 0;
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const callback of held) super.defer(callback);
  }
}

const queues = 600;
const names = Array.from({ length: queues }, (_, at) => `q${String(at).padStart(3, '0')}`);
const definitions = {
  queues: names.map((name) => ({ name, vhost: '/', durable: false, arguments: {} })),
  bindings: names.map((destination) => ({
    source: 'amq.direct',
    vhost: '/',
    destination,
    destination_type: 'queue',
    routing_key: destination,
    arguments: {},
  })),
};

let clock: HoldingClock;
let server: AdminServer;
let peer: Peer;
before(async () => {
  clock = new HoldingClock();
  server = await AdminServer.start({ clock });
  assert.equal(await server.told('POST /definitions', definitions), '204');
  peer = await server.open();
});
after(async () => {
  peer.end();
  await server[Symbol.asyncDispose]();
});

/** The answer to a request, which waits for its next turn while another connection is answered. */
async function answeredBetween(line: string, body?: object, turnsMin = queues / 6): Promise<unknown> {
  clock.hold();
  const answer = server.ask(line, body);
  await eventually(() => clock.turns > 0);
  await peer.silent();
  clock.release();
  const { status, body: answered } = await answer;
  assert.ok(status < 300, `${status}`);
  // A turn has five milliseconds, and each queue is looked at.
  assert.ok(clock.turns >= turnsMin, `${clock.turns} turns`);
  return answered;
}

test('the overview', async () => {
  const overview = (await answeredBetween('GET /overview')) as {
    object_totals: { queues: number };
  };
  assert.equal(overview.object_totals.queues, queues);
});

test('virtual hosts', async () => {
  await answeredBetween('GET /vhosts');
  await answeredBetween('GET /vhosts/%2F');
});

for (const path of ['/queues', '/queues/%2F?sort=messages', '/queues?page=2&name=q1&use_regex=true'])
  test(path, async () => {
    const list = await answeredBetween(`GET ${path}`);
    if (path === '/queues')
      assert.deepEqual(
        (list as { name: string }[]).map(({ name }) => name),
        names,
      );
  });

test('bindings', async () => {
  const list = (await answeredBetween('GET /bindings')) as unknown[];
  assert.equal(list.length, 2 * queues);
  assert.equal(((await answeredBetween('GET /queues/%2F/q007/bindings')) as unknown[]).length, 2);
});

test('definitions, out and in', async () => {
  const out = (await answeredBetween('GET /definitions')) as typeof definitions;
  assert.equal(out.queues.length, queues);
  assert.equal(out.bindings.length, queues);
  const one = (await answeredBetween('GET /definitions/%2F')) as typeof definitions;
  assert.deepEqual(Object.keys(one.queues[0]!), ['name', 'durable', 'auto_delete', 'arguments']);
  // All of it is there already, so that no commit is waited for. Some are declared at a time.
  await answeredBetween('POST /definitions', out, 3);
});
