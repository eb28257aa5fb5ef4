import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import {
  type TemporaryDirectory,
  eventually,
  makeTemporaryDirectory,
  uniqueName,
} from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { askAdmin } from './ask.ts';

type Json = { readonly [name: string]: unknown };

let directory: TemporaryDirectory;
let server: PillarboxServer;

const start = (): Promise<PillarboxServer> =>
  startServer({ data: directory.path, ...protocolsOff, adminPort: 0 });

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await start();
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

/** A topic with a group and messages. */
async function makeGroup(options: Json, ...values: readonly string[]): Promise<string> {
  const topic = uniqueName('topic');
  const path = `/api/v1/topics/${topic}`;
  await ok('/api/v1/topics', { name: topic });
  await ok(`${path}/groups`, { name: 'g', ...options });
  if (values.length > 0) await ok(`${path}/messages`, { messages: values.map((value) => ({ value })) });
  return `${path}/groups/g`;
}

async function ok(path: string, body: object): Promise<Json> {
  const { status, json } = await askAdmin(server.ports.admin, 'POST', path, body);
  assert.ok(status < 300, JSON.stringify(json));
  return json;
}

async function codeOf(path: string, body: object): Promise<unknown> {
  const { json } = await askAdmin(server.ports.admin, 'POST', path, body);
  return (json['error'] as Json | undefined)?.['code'];
}

interface Received {
  readonly value: string;
  readonly receipt: string;
  readonly deliveries: number;
}

async function receive(group: string, body: object = {}): Promise<readonly Received[]> {
  return (await ok(`${group}/receive`, body))['messages'] as Received[];
}

async function settle(group: string, ...answers: readonly object[]): Promise<readonly boolean[]> {
  const { results } = await ok(`${group}/settle`, { answers });
  return (results as { settled: boolean }[]).map(({ settled }) => settled);
}

const lagOf = (path: string): Promise<unknown> =>
  askAdmin(server.ports.admin, 'GET', path).then(({ json }) => [json['lag'], json['inFlight']]);

describe('receive', () => {
  test('delivers what there is, at most so many, and settles by receipt once', async () => {
    const group = await makeGroup({}, 'a', 'b', 'c');
    const [a, b] = await receive(group, { max: 2 });
    assert.deepEqual([a!.value, b!.value, a!.deliveries], ['a', 'b', 1]);
    assert.deepEqual(
      (await receive(group, { max: 5 })).map(({ value }) => value),
      ['c'],
    );
    assert.deepEqual(await receive(group), []);
    assert.deepEqual(await settle(group, { receipt: a!.receipt, answer: 'ack' }), [true]);
    assert.deepEqual(await settle(group, { receipt: a!.receipt, answer: 'ack' }), [false]);
    const [again] = await settle(group, {
      receipt: b!.receipt,
      answer: 'nack',
      delayMs: 0,
      reason: 'no',
    }).then(() => receive(group, { waitMs: 20_000 }));
    assert.deepEqual([again!.value, again!.deliveries], ['b', 2]);
    assert.deepEqual(await settle(group, { receipt: b!.receipt, answer: 'ack' }), [false]);
    const given = [{ receipt: again!.receipt, answer: 'extend', ackWaitMs: 60_000 }];
    assert.deepEqual(await settle(group, ...given, { receipt: again!.receipt, answer: 'reject' }), [
      true,
      true,
    ]);
    assert.deepEqual(await lagOf(group), [0, 1]);
  });

  test('waits for a message', async () => {
    const group = await makeGroup({});
    const waiting = receive(group, { waitMs: 60_000 });
    const { broker } = server;
    const topic = broker.topic(/topics\/([^/]+)/.exec(group)![1]!)!;
    await eventually(() => topic.groups.get('g')!.info().consumers === 1);
    assert.equal(topic.groups.get('g')!.listConsumers()[0]!.label, 'admin HTTP');
    await topic.send({ key: null, headers: [], value: Buffer.from('late') });
    assert.deepEqual(
      (await waiting).map(({ value }) => value),
      ['late'],
    );
    assert.equal(topic.groups.get('g')!.info().consumers, 0);
  });

  test('keeps nothing of a client that leaves', async () => {
    const group = await makeGroup({});
    const topic = server.broker.topic(/topics\/([^/]+)/.exec(group)![1]!)!;
    const leaving = new AbortController();
    const request = fetch(`http://127.0.0.1:${server.ports.admin}${group}/receive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"waitMs":60000}',
      signal: leaving.signal,
    });
    await eventually(() => topic.groups.get('g')!.info().consumers === 1);
    leaving.abort();
    await assert.rejects(request);
    await eventually(() => topic.groups.get('g')!.info().consumers === 0);
  });

  test('receipts are read back after a restart', async () => {
    const group = await makeGroup({}, 'a', 'b');
    const [a, b] = await receive(group, { max: 2 });
    await server.close({ graceMs: 100 });
    server = await start();
    assert.deepEqual(await settle(group, { receipt: a!.receipt, answer: 'ack' }), [true]);
    const [again] = await receive(group, { waitMs: 20_000 });
    assert.deepEqual([again!.value, again!.deliveries], ['b', 2]);
    assert.deepEqual(await settle(group, { receipt: b!.receipt, answer: 'ack' }), [false]);
    assert.deepEqual(await settle(group, { receipt: again!.receipt, answer: 'release' }), [true]);
    assert.equal((await receive(group))[0]!.value, 'b');
  });

  test('in a group without acks delivers once, without a receipt', async () => {
    const group = await makeGroup({ ack: 'none' }, 'a');
    assert.deepEqual(
      (await receive(group)).map(({ receipt }) => receipt),
      [null],
    );
    assert.deepEqual(await lagOf(group), [0, 0]);
  });

  test('is refused with a reason', async () => {
    const group = await makeGroup({}, 'a');
    const other = await makeGroup({}, 'a');
    const [{ receipt } = { receipt: '' }] = await receive(other);
    assert.equal(
      await codeOf(`${group}/settle`, { answers: [{ receipt, answer: 'ack' }] }),
      'receipt-invalid',
    );
    assert.equal(
      await codeOf(`${group}/settle`, { answers: [{ receipt: 'x', answer: 'ack' }] }),
      'receipt-invalid',
    );
    for (const wrong of [
      { answer: 'extend' },
      { answer: 'postpone' },
      { answer: 'ack', delayMs: 5 },
      { answer: 'eat' },
    ])
      assert.equal(await codeOf(`${other}/settle`, { answers: [{ receipt, ...wrong }] }), 'invalid-request');
    assert.equal(await codeOf(`${group}/receive`, { max: 0 }), 'invalid-request');
    await server.broker
      .topic(/topics\/([^/]+)/.exec(group)![1]!)!
      .createGroup({ name: 'kafka', positions: 'committed' });
    assert.equal(await codeOf(group.replace(/g$/, 'kafka/receive'), {}), 'not-allowed');
  });
});
