import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { TlsGuard, type TlsIdentity } from '../../../../src/protocols/connections/index.ts';
import type { KafkaOptions } from '../../../../src/protocols/kafka/index.ts';
import { Operation, Pattern, Permission, Resource } from '../../../../src/protocols/kafka/security/acl.ts';
import { Users, userWithPassword, type User } from '../../../../src/protocols/users/index.ts';
import { ErrorCode } from '../../../../src/wire/kafka/index.ts';
import { KafkaClient, KafkaKit, batchOf } from '../kit.ts';

// dist*/test/protocols/kafka/security/ -> the sources, where the fixtures are.
const sources = new URL('../../../../../test/protocols/', import.meta.url);
const pem = (name: string): string => readFileSync(new URL(name, sources), 'utf8');
const ca = pem('kafka/fixtures/localhost-cert.pem');
const identity: TlsIdentity = { certificate: ca, key: pem('kafka/fixtures/localhost-key.pem'), ca };
/** `CN=ann`, signed by the authority. */
const own = {
  cert: pem('connections/fixtures/client-cert.pem'),
  key: pem('connections/fixtures/client-key.pem'),
};
const foreign = {
  cert: pem('connections/fixtures/renewed-cert.pem'),
  key: pem('connections/fixtures/renewed-key.pem'),
};

const admin = userWithPassword('kafka', 'admin', 'secret');
const batch = batchOf(['a']);

function start(
  users: User[],
  options: Partial<KafkaOptions> = {},
  more: Partial<TlsIdentity> = {},
): Promise<KafkaKit> {
  return KafkaKit.start({
    users: new Users([admin, ...users]),
    tls: new TlsGuard({ ...identity, ...more }),
    ...options,
  });
}

async function connect(
  kit: KafkaKit,
  certificate: { cert: string; key: string } | undefined,
): Promise<KafkaClient> {
  return KafkaClient.connectSecured(kit.port, { ca, checkServerIdentity: () => undefined, ...certificate });
}

async function adminOf(kit: KafkaKit): Promise<KafkaClient> {
  const client = await connect(kit, own);
  assert.equal(await client.logIn('admin', 'secret'), 0, 'the certificate is no hindrance');
  await client.createTopic('t');
  return client;
}

async function allowWrite(client: KafkaClient, principal: string): Promise<void> {
  await client.call('CreateAcls', 3, {
    creations: [
      {
        resourceType: Resource.topic,
        resourceName: 't',
        resourcePatternType: Pattern.literal,
        principal,
        host: '*',
        operation: Operation.write,
        permissionType: Permission.allow,
      },
    ],
  });
}

const refused = ErrorCode.TOPIC_AUTHORIZATION_FAILED;

describe('the certificate of a client', () => {
  test('is the login of the user that names it', async () => {
    const user: User = {
      name: 'publisher',
      credentials: { certificates: ['CN=ann'] },
      permissions: { publish: { allow: ['t'] } },
    };
    await using kit = await start([user]);
    using _ = await adminOf(kit);
    using client = await connect(kit, own);
    assert.equal((await client.produce('t', batch)).errorCode, 0);
    assert.equal((await client.createTopic('other')).errorCode, refused);
    assert.ok(kit.frontend.listConnections().some((connection) => connection.user === 'publisher'));
  });

  test('is a principal of its own where no user names it, which ACLs may allow something', async () => {
    await using kit = await start([]);
    using client = await connect(kit, own);
    using other = await adminOf(kit);
    assert.equal((await client.produce('t', batch)).errorCode, refused);
    await allowWrite(other, 'User:CN=ann');
    assert.equal((await client.produce('t', batch)).errorCode, 0);
  });

  test('is the principal that the mapping rules make of it: a user of that name, if there is one', async () => {
    const settings = { 'ssl.principal.mapping.rules': 'RULE:^CN=(.*?)$/$1/U,DEFAULT' } as const;
    await using kit = await start([], { settings });
    using client = await connect(kit, own);
    using other = await adminOf(kit);
    await allowWrite(other, 'User:ANN');
    assert.equal((await client.produce('t', batch)).errorCode, 0);
    const user: User = { name: 'ANN', credentials: {}, permissions: { publish: { allow: ['*'] } } };
    await using known = await start([user], { settings });
    using _ = await adminOf(known);
    using same = await connect(known, own);
    assert.equal((await same.produce('t', batch)).errorCode, 0);
  });

  test('need not be there where it is only requested, but must be right', async () => {
    await using kit = await start([], {}, { clientCertificates: 'requested' });
    using _ = await adminOf(kit);
    using without = await connect(kit, undefined);
    assert.equal(await without.logIn('admin', 'secret'), 0);
    using silent = await connect(kit, undefined);
    silent.send('Metadata', 9, { topics: [] });
    await silent.ended();
    using wrong = await connect(kit, foreign);
    await wrong.ended();
    await using strict = await start([]);
    using missing = await connect(strict, undefined);
    await missing.ended();
  });
});
