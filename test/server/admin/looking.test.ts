import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Group } from '../../../src/broker/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, eventually, makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';
import { askAdmin, askWell } from './ask.ts';

// What the dashboard looks for: messages by their content, groups per message, causes of dead letters, and
// what a move of a group would bring.

type Json = { readonly [name: string]: unknown };

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({ data: join(directory.path, 'data'), ...freePorts });
  await ask('POST', '/api/v1/topics', { name: 'orders' });
  const messages = Array.from({ length: 20 }, (_, at) => ({
    key: `k${at % 2}`,
    headers: [{ name: 'Trace', value: `t-${at}` }],
    value: { order: at, customer: { name: at % 5 === 0 ? 'ada' : 'grace' }, items: [{ sku: `B-${at}` }] },
  }));
  await ask('POST', '/api/v1/topics/orders/messages', { messages });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

function ask(method: string, path: string, body?: unknown): Promise<Json> {
  return askWell(server.ports['admin'], method, path, body);
}

async function offsetsOf(query: { [name: string]: string }): Promise<unknown[]> {
  const path = `/api/v1/topics/orders/messages?${new URLSearchParams(query).toString()}`;
  return ((await ask('GET', path))['messages'] as Json[]).map(({ offset }) => offset);
}

/** Delivers `count` messages of the group, and answers each. */
async function deliver(group: Group, count: number, answer: (offset: number) => void): Promise<void> {
  const got: number[] = [];
  const consumer = {
    get credit() {
      return count - got.length;
    },
    creditBytes: Infinity,
    receive: ({ record }: { record: { offset: number } }) => void got.push(record.offset), // it is reused
    ended: () => {},
  };
  group.attach(consumer);
  await eventually(() => got.length === count, { message: 'the deliveries' });
  for (const offset of got) answer(offset);
  group.detach(consumer);
}

test('messages are found by header, text and JSON path', async () => {
  assert.deepEqual(await offsetsOf({ path: 'customer.name=ada' }), [0, 5, 10, 15]);
  assert.deepEqual(await offsetsOf({ path: '$.items[0].sku=B-7' }), [7]);
  assert.deepEqual(await offsetsOf({ path: 'customer.none' }), []);
  assert.deepEqual(await offsetsOf({ path: 'order=3' }), [3]);
  assert.deepEqual(await offsetsOf({ header: 'trace=t-19' }), [19]);
  assert.equal((await offsetsOf({ header: 'TRACE' })).length, 20);
  assert.deepEqual(await offsetsOf({ text: '"order":12,' }), [12]);
  assert.deepEqual(await offsetsOf({ text: 'ada', key: 'k1' }), [5, 15]);
  assert.deepEqual(await offsetsOf({ path: 'customer.name=ada', last: '2' }), [10, 15]);
  const { status } = await askAdmin(server.ports['admin'], 'GET', '/api/v1/topics/orders/messages?path=$');
  assert.equal(status, 400);
});

test('a filtered page goes on at its cursor', async () => {
  const path = '/api/v1/topics/orders/messages?path=customer.name%3Dada&limit=3';
  const first = await ask('GET', path);
  const second = await ask('GET', `${path}&cursor=${String(first['cursor'])}`);
  assert.deepEqual(
    [first, second].map(({ messages }) => (messages as Json[]).map(({ offset }) => offset)),
    [[0, 5, 10], [15]],
  );
  assert.deepEqual([first['atEnd'], second['atEnd']], [false, true]);
});

test('a message tells how far each group is with it, and a seek what it would bring', async () => {
  const group = await server.broker.topic('orders')!.createGroup({ name: 'billing' });
  await deliver(group, 6, (offset) => {
    if (offset < 4) group.ack(0, offset);
  });
  const stateOf = async (offset: number): Promise<unknown> =>
    ((await ask('GET', `/api/v1/topics/orders/messages/${offset}/groups`))['groups'] as Json[])[0]?.['state'];
  assert.deepEqual([await stateOf(0), await stateOf(5), await stateOf(6)], ['done', 'in-flight', 'waiting']);

  const preview = (start: Json): Promise<Json> =>
    ask('POST', '/api/v1/topics/orders/groups/billing/reset/preview', { start });
  assert.deepEqual(await preview({ kind: 'all' }), { again: 6, passed: 0, after: 20, isUpperBound: false });
  assert.deepEqual(await preview({ kind: 'offset', offset: 16 }), {
    again: 0,
    passed: 10,
    after: 4,
    isUpperBound: false,
  });
  assert.deepEqual(await preview({ kind: 'time', timestampMs: 1 }), await preview({ kind: 'all' }));
  assert.equal((await preview({ kind: 'last-per-key' }))['again'], null);
  assert.equal(group.info().cursor, 6);
});

test('dead letters are grouped by cause, and one cause is redriven', async () => {
  const topic = server.broker.topic('orders')!;
  const group = await topic.createGroup({ name: 'shipping', deadLetter: 'orders-failed' });
  await deliver(group, 5, (offset) => group.reject(0, offset, offset < 2 ? 'no stock' : 'bad address'));
  const causes = async (): Promise<unknown[]> =>
    ((await ask('GET', '/api/v1/dead-letters/orders-failed/causes'))['causes'] as Json[]).map(
      ({ cause, topic, group, count }) => [cause, topic, group, count],
    );
  await eventually(() => server.broker.topic('orders-failed')?.durableCount === 5, {
    message: 'the letters',
  });
  const [many, few] = (await causes()) as [string, ...unknown[]][];
  assert.match(String(many?.[0]), /bad address/);
  assert.deepEqual(
    [many?.slice(1), few?.slice(1)],
    [
      ['orders', 'shipping', 3],
      ['orders', 'shipping', 2],
    ],
  );

  const redriven = await ask('POST', '/api/v1/dead-letters/orders-failed/redrive', {
    filter: { cause: few?.[0], topic: 'orders' },
  });
  assert.deepEqual([redriven['redriven'], redriven['left']], [2, 3]);
  assert.deepEqual(await causes(), [many]);
});
