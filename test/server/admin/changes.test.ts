import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory, uniqueName } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { askAdmin } from './ask.ts';

type Json = { readonly [name: string]: unknown };

const users = [
  {
    name: 'root',
    token: 'root-token-of-the-test',
    permissions: { publish: ['*'], consume: ['*'], manage: ['*'] },
  },
  { name: 'owner', token: 'owner-token-of-the-test', permissions: { consume: ['own*'], manage: ['own*'] } },
];

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({ data: directory.path, ...protocolsOff, natsPort: 0, adminPort: 0, users });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

async function ask(method: string, path: string, body?: object, token = 'root-token-of-the-test') {
  const headers = { authorization: `Bearer ${token}` };
  return askAdmin(server.ports.admin, method, `/api/v1/topics${path}`, body, headers);
}

async function configAfter(method: string, path: string, body: object): Promise<Json> {
  const { status, json } = await ask(method, path, body);
  assert.ok(status < 300, JSON.stringify(json));
  return json['config'] as Json;
}

async function codeOf(method: string, path: string, body: object, token?: string): Promise<unknown> {
  const { json } = await ask(method, path, body, token);
  return (json['error'] as Json | undefined)?.['code'];
}

describe('a change of a topic', () => {
  test('sets what is given, takes limits away by null, and leaves the rest', async () => {
    const name = uniqueName('topic');
    await ask('POST', '', { name, messagesMax: 5, bytesMax: 1000 });
    const config = await configAfter('PATCH', `/${name}`, {
      messagesMax: null,
      ageMsMax: 60_000,
      overflow: 'reject',
      partitions: 3,
    });
    assert.deepEqual(
      [
        config['messagesMax'],
        config['bytesMax'],
        config['ageMsMax'],
        config['overflow'],
        config['partitions'],
      ],
      [undefined, 1000, 60_000, 'reject', 3],
    );
    const again = await configAfter('PATCH', `/${name}`, { overflow: null });
    assert.equal(again['overflow'], 'drop-oldest');
    assert.equal(server.broker.topic(name)!.config.bytesMax, 1000);
  });

  test('keeps the subjects of messages when the topic captures others', async () => {
    const name = uniqueName('topic');
    await ask('POST', '', { name, subjects: [`${name}.a`, `${name}.b`] });
    const config = await configAfter('PATCH', `/${name}`, { subjects: [`${name}.b`] });
    assert.deepEqual(config['attributes'], { natsPastSubjects: [`${name}.a`] });
    const back = await configAfter('PATCH', `/${name}`, { subjects: [`${name}.>`] });
    assert.deepEqual(back['attributes'], {});
  });

  test('is refused with a reason', async () => {
    const name = uniqueName('topic');
    await ask('POST', '', { name, partitions: 2 });
    assert.equal(await codeOf('PATCH', `/${name}`, { partitions: 1 }), 'topic-config-invalid');
    assert.equal(await codeOf('PATCH', `/${name}`, { durability: 'memory' }), 'topic-config-invalid');
    assert.equal(await codeOf('PATCH', `/${name}`, { name: 'other' }), 'invalid-request');
    assert.equal(await codeOf('PATCH', `/${name}`, { overflow: 'explode' }), 'invalid-request');
    assert.equal(await codeOf('PATCH', '/nowhere', {}), 'topic-not-found');
  });
});

describe('a group', () => {
  test('is created where it is told to start, and changed', async () => {
    const name = uniqueName('topic');
    await ask('POST', '', { name });
    await ask('POST', `/${name}/messages`, { messages: [{ value: 'a' }, { value: 'b' }] });
    const made = await ask('POST', `/${name}/groups`, {
      name: 'g',
      start: { kind: 'offset', offset: 1 },
      maxDeliver: 3,
      ordering: 'key',
    });
    assert.deepEqual([made.status, made.json['lag']], [201, 1]);
    const config = await configAfter('PATCH', `/${name}/groups/g`, {
      ackWaitMs: 5000,
      backoffMs: [100, 1000],
      keyRunMax: 4,
      maxDeliver: null,
    });
    assert.deepEqual(
      [
        config['ackWaitMs'],
        config['backoffMs'],
        config['keyRunMax'],
        config['maxDeliver'],
        config['ordering'],
      ],
      [5000, [100, 1000], 4, undefined, 'key'],
    );
    const limits = await configAfter('POST', `/${name}/groups/g/limits`, { keyRunMax: null, concurrency: 2 });
    assert.deepEqual([limits['keyRunMax'], limits['concurrency'], limits['ackWaitMs']], [undefined, 2, 5000]);
  });

  test('is refused with a reason', async () => {
    const name = uniqueName('topic');
    await ask('POST', '', { name });
    await ask('POST', `/${name}/groups`, { name: 'g' });
    assert.equal(await codeOf('POST', `/${name}/groups`, { name: 'g' }), 'group-exists');
    assert.equal(
      await codeOf('POST', `/${name}/groups`, { name: 'h', start: { kind: 'time' } }),
      'invalid-request',
    );
    assert.equal(await codeOf('PATCH', `/${name}/groups/g`, { ack: 'none' }), 'invalid-request');
    assert.equal(await codeOf('PATCH', `/${name}/groups/g`, { keyRunMax: 2 }), 'group-config-invalid');
    assert.equal(await codeOf('PATCH', `/${name}/groups/h`, {}), 'group-not-found');
  });
});

test('a user cannot have dead letters published where the user may not publish', async () => {
  const token = 'owner-token-of-the-test';
  const name = uniqueName('own');
  assert.equal((await ask('POST', '', { name }, token)).status, 201);
  const policy = { deadLetter: { causes: ['expired'], to: 'secrets' } };
  assert.equal(await codeOf('POST', '', { name: `${name}-2`, ...policy }, token), 'not-permitted');
  assert.equal(await codeOf('PATCH', `/${name}`, policy, token), 'not-permitted');
  assert.equal(
    await codeOf('POST', `/${name}/groups`, { name: 'g', deadLetter: 'secrets' }, token),
    'not-permitted',
  );
  assert.equal((await ask('POST', `/${name}/groups`, { name: 'g' }, token)).status, 201);
  assert.equal(
    await codeOf('PATCH', `/${name}/groups/g`, { deadLetter: { to: ['secrets'] } }, token),
    'not-permitted',
  );
});
