import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, test } from 'node:test';
import { Users, userWithPassword } from '../../../../src/protocols/users/index.ts';
import { ErrorCode, type RequestDraft } from '../../../../src/wire/kafka/index.ts';
import { KafkaKit, type KafkaClient } from '../kit.ts';

type Upsertion = RequestDraft<'AlterUserScramCredentials'>['upsertions'][number];

const mechanisms = { sha256: 1, sha512: 2 } as const;
type Hash = keyof typeof mechanisms;

function usersOf(): Users {
  return new Users([userWithPassword('kafka', 'admin', 'secret')]);
}

async function admin(kit: KafkaKit): Promise<KafkaClient> {
  const client = await kit.client();
  assert.equal(await client.logIn('admin', 'secret'), 0);
  return client;
}

function salted(hash: Hash, password: string, salt: Buffer, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash);
}

function upsertion(name: string, password: string, hash: Hash, more: Partial<Upsertion> = {}): Upsertion {
  const salt = Buffer.from(`salt of ${name}`);
  const iterations = 4097;
  return {
    name,
    mechanism: mechanisms[hash],
    iterations,
    salt,
    saltedPassword: salted(hash, password, salt, iterations),
    ...more,
  };
}

async function alter(
  client: KafkaClient,
  change: Partial<RequestDraft<'AlterUserScramCredentials'>>,
): Promise<[user: string, code: number][]> {
  const request = { deletions: [], upsertions: [], ...change };
  const { results } = await client.call('AlterUserScramCredentials', 0, request);
  return results
    .map(({ user, errorCode }): [string, number] => [user, errorCode])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Users as `name mechanism:iterations …`, or the code of an error. */
async function shown(client: KafkaClient, ...names: string[]): Promise<(string | number)[]> {
  const { results, errorCode } = await client.call('DescribeUserScramCredentials', 0, {
    users: names.map((name) => ({ name })),
  });
  assert.equal(errorCode, 0);
  return results.map(({ user, errorCode: code, credentialInfos }) =>
    code === 0
      ? [user, ...credentialInfos.map(({ mechanism, iterations }) => `${mechanism}:${iterations}`)].join(' ')
      : code,
  );
}

/** Logs in by SCRAM; the code of the last answer. */
async function scram(kit: KafkaKit, hash: Hash, user: string, password: string): Promise<number> {
  using client = await kit.client();
  const mechanism = hash === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512';
  await client.call('SaslHandshake', 1, { mechanism });
  const token = async (text: string): Promise<[number, string]> => {
    const answer = await client.call('SaslAuthenticate', 2, { authBytes: Buffer.from(text) });
    return [answer.errorCode, answer.authBytes.toString()];
  };
  const [, first] = await token(`n,,n=${user},r=abc`);
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first)!;
  const key = salted(hash, password, Buffer.from(salt, 'base64'), Number(iterations));
  const hmac = (by: Buffer, text: string): Buffer => createHmac(hash, by).update(text).digest();
  const clientKey = hmac(key, 'Client Key');
  const final = `c=biws,r=${nonce}`;
  const signature = hmac(createHash(hash).update(clientKey).digest(), `n=${user},r=abc,${first},${final}`);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!)).toString('base64');
  return (await token(`${final},p=${proof}`))[0];
}

const wrong = ErrorCode.SASL_AUTHENTICATION_FAILED;

describe('SCRAM credentials', () => {
  test('make users that log in by SCRAM, PLAIN and NATS, and outlive a crash', async () => {
    const users = usersOf();
    await using kit = await KafkaKit.start({ users });
    const changes = { upsertions: [upsertion('ann', 'pencil', 'sha256')] };
    assert.deepEqual(await alter(await admin(kit), changes), [['ann', 0]]);
    await kit.crash();
    assert.equal(await scram(kit, 'sha256', 'ann', 'pencil'), 0);
    assert.equal(await scram(kit, 'sha256', 'ann', 'pencils'), wrong);
    assert.equal(await scram(kit, 'sha512', 'ann', 'pencil'), wrong, 'there are no keys for that hash');
    using plain = await kit.client();
    assert.equal(await plain.logIn('ann', 'pencil'), 0);
    assert.equal(
      (await plain.createTopic('t')).errorCode,
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      'without ACLs',
    );
    const login = await users.logIn('nats', { kind: 'password', user: 'ann', password: 'pencil' });
    assert.equal(login?.access.mayPublish('t'), false);
    assert.equal(users.find('admin', 'ann'), undefined, 'the admin HTTP is not theirs');
  });

  test('are described without their keys, those of the configuration too', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using client = await admin(kit);
    await alter(client, { upsertions: [upsertion('ann', 'a', 'sha256')] });
    await alter(client, { upsertions: [upsertion('ann', 'a', 'sha512', { iterations: 4096 })] });
    assert.deepEqual(await shown(client), ['admin 1:4096 2:4096', 'ann 1:4097 2:4096']);
    assert.deepEqual(await shown(client, 'ann', 'bob', 'bob', 'eve'), [
      'ann 1:4097 2:4096',
      ErrorCode.DUPLICATE_RESOURCE,
      ErrorCode.RESOURCE_NOT_FOUND,
    ]);
  });

  test('that are deleted end the connections of their user', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using client = await admin(kit);
    await alter(client, { upsertions: [upsertion('ann', 'a', 'sha256')] });
    using ann = await kit.client();
    assert.equal(await ann.logIn('ann', 'a'), 0);
    const deletion = { name: 'ann', mechanism: mechanisms.sha256 };
    assert.deepEqual(await alter(client, { deletions: [deletion] }), [['ann', 0]]);
    await ann.ended();
    assert.deepEqual(await alter(client, { deletions: [deletion] }), [['ann', ErrorCode.RESOURCE_NOT_FOUND]]);
    assert.equal(await scram(kit, 'sha256', 'ann', 'a'), wrong);
    await kit.crash();
    assert.equal(await scram(kit, 'sha256', 'ann', 'a'), wrong);
  });

  test('that cannot be are refused, each by itself', async () => {
    await using kit = await KafkaKit.start({ users: usersOf(), keptUsersMax: 2 });
    using client = await admin(kit);
    const refused = ErrorCode.UNACCEPTABLE_CREDENTIAL;
    const cases: readonly (readonly [more: Partial<Upsertion>, code: number])[] = [
      [{ name: '' }, refused],
      [{ name: '*' }, refused],
      [{ name: 'admin' }, refused],
      [{ name: 'a'.repeat(257) }, refused],
      [{ iterations: 4095 }, refused],
      [{ iterations: 16_385 }, refused],
      [{ salt: Buffer.alloc(0) }, refused],
      [{ saltedPassword: Buffer.alloc(31) }, refused],
      [{ mechanism: 3 }, ErrorCode.UNSUPPORTED_SASL_MECHANISM],
    ];
    for (const [more, code] of cases) {
      const changes = { upsertions: [upsertion('ann', 'a', 'sha256', more)] };
      assert.deepEqual((await alter(client, changes))[0]?.[1], code, JSON.stringify(more));
    }
    const many = ['a', 'b', 'c', 'd', 'd'].map((name) => upsertion(name, 'a', 'sha256'));
    assert.deepEqual(await alter(client, { upsertions: many }), [
      ['a', 0],
      ['b', 0],
      ['c', ErrorCode.POLICY_VIOLATION],
      ['d', ErrorCode.DUPLICATE_RESOURCE],
    ]);
  });

  test('need ALTER on the cluster, and a broker with users', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using client = await admin(kit);
    await alter(client, { upsertions: [upsertion('ann', 'a', 'sha256')] });
    using ann = await kit.client();
    await ann.logIn('ann', 'a');
    const changes = { upsertions: [upsertion('eve', 'a', 'sha256')] };
    assert.deepEqual(await alter(ann, changes), [['eve', ErrorCode.CLUSTER_AUTHORIZATION_FAILED]]);
    const { errorCode } = await ann.call('DescribeUserScramCredentials', 0, { users: null });
    assert.equal(errorCode, ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    await using open = await KafkaKit.start();
    using anybody = await open.client();
    assert.deepEqual(await alter(anybody, changes), [['eve', ErrorCode.SECURITY_DISABLED]]);
  });

  test('of an unknown user are shown with the same salt each time', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    const salts = new Set<string>();
    for (const _ of [1, 2]) {
      using client = await kit.client();
      await client.call('SaslHandshake', 1, { mechanism: 'SCRAM-SHA-256' });
      const { authBytes } = await client.call('SaslAuthenticate', 2, {
        authBytes: Buffer.from('n,,n=eve,r=x'),
      });
      salts.add(/s=([^,]+)/.exec(authBytes.toString())![1]!);
    }
    assert.equal(salts.size, 1);
  });
});
