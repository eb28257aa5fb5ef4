import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { ErrorCode, apis, readResponseHeader } from '../../../src/wire/kafka/index.ts';
import { Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { KafkaKit, batchOf, fetchRequest, produceRequest, requestBytes, type KafkaClient } from './kit.ts';

const users = new Users([
  userWithPassword('kafka', 'ann', 'pencil'),
  userWithPassword('kafka', 'bob,x=y', 'p2'),
]);

function frameOf(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

/** A request's head, and a body of one's own. */
function rawRequest(apiKey: number, apiVersion: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(apiVersion, 2);
  head.writeInt32BE(77, 4);
  head.writeInt16BE(4, 8);
  head.write('test', 10);
  return frameOf(Buffer.concat([head, body]));
}

describe('ApiVersions', () => {
  test('lists the served versions, and only those', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    for (let version = 0; version <= 4; version++) {
      const { errorCode, apiKeys } = await client.call('ApiVersions', version, {
        clientSoftwareName: 'test',
        clientSoftwareVersion: '1.0',
      });
      assert.equal(errorCode, 0);
      const keys = new Map(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
      );
      assert.equal(keys.get(apis.Produce.key)?.[0], 0, 'old clients look for it');
      assert.deepEqual(keys.get(apis.Fetch.key), [4, 17]);
      assert.equal(keys.has(71), false, 'no telemetry');
    }
    const [connection] = kit.frontend.listConnections();
    assert.deepEqual([connection?.software, connection?.version, connection?.name], ['test', '1.0', 'test']);
  });

  test('in a version from the future is answered in version 0, with the list', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    client.socket.write(rawRequest(apis.ApiVersions.key, 99, Buffer.from([1, 2, 3])));
    const response = readResponseHeader((await client.frame())!);
    assert.equal(response.correlationId, 77);
    const { errorCode, apiKeys } = apis.ApiVersions.response.decode(response.rest, 0);
    assert.equal(errorCode, ErrorCode.UNSUPPORTED_VERSION);
    assert.ok(apiKeys.length > 15);
    assert.equal(
      (await client.call('ApiVersions', 3, { clientSoftwareName: 'a', clientSoftwareVersion: 'b' }))
        .errorCode,
      0,
    );
  });
});

describe('bad input', () => {
  const endings: readonly (readonly [name: string, bytes: Buffer])[] = [
    ['an unknown API', rawRequest(999, 0, Buffer.alloc(0))],
    ['a version that is not offered', rawRequest(apis.Metadata.key, 99, Buffer.alloc(0))],
    ['a produce version that is only advertised', rawRequest(apis.Produce.key, 0, Buffer.alloc(20))],
    ['a frame of negative size', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a frame larger than any', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['no head', frameOf(Buffer.from([0, 3]))],
    ['a body that ends early', rawRequest(apis.Metadata.key, 1, Buffer.from([0, 0]))],
    [
      'more topics than the frame has',
      rawRequest(apis.Metadata.key, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
    ],
    ['a string beyond the frame', rawRequest(apis.Metadata.key, 1, Buffer.from([0, 0, 0, 1, 0x7f, 0xff]))],
    ['something else altogether', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ];
  for (const [name, bytes] of endings)
    test(`${name} ends the connection, and no other`, async () => {
      await using kit = await KafkaKit.start();
      using other = await kit.client();
      using client = await kit.client();
      client.socket.write(bytes);
      await client.ended();
      assert.equal((await other.call('Metadata', 5, { topics: [] })).brokers.length, 1);
      await eventually(() => kit.events.some(({ kind }) => kind === 'closed'));
    });

  test('half a frame costs other clients nothing, and is finished later', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const bytes = Buffer.concat(
      requestBytes('Produce', 9, produceRequest('t', batchOf(['x'.repeat(5000)])), 1),
    );
    for (let at = 0; at < bytes.length; at += 700) {
      client.socket.write(bytes.subarray(at, at + 700));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const response = readResponseHeader((await client.frame())!);
    assert.equal(response.correlationId, 1);
  });

  test('a compressed batch that explodes is stored as it is, and no other reader falls over it', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const bomb = { codec: 1, compress: () => Buffer.from('not gzip') };
    assert.equal((await client.produce('t', batchOf(['x', 'y'], { compression: bomb }))).errorCode, 0);
    await client.produce('t', batchOf(['after']));
    const group = await kit.broker.topic('t')!.createGroup({ name: 'g' });
    const got: number[] = [];
    group.attach({
      credit: 10,
      creditBytes: Infinity,
      receive: ({ record }) => void got.push(record.offset),
      ended: () => {},
    });
    await eventually(() => got.length > 0);
    assert.deepEqual(got, [2]);
  });

  test('a client that does not read is cut, and until then nothing more is done for it', async () => {
    await using kit = await KafkaKit.start({ limits: { responseBytesMax: 100_000, writeDeadlineMs: 200 } });
    using client = await kit.client();
    await client.createTopic('t');
    await client.produce('t', batchOf(['x'.repeat(900_000)]));
    client.socket.pause();
    for (let i = 0; i < 200; i++) client.send('Fetch', 11, fetchRequest('t', 0, { maxWaitMs: 0 }));
    await eventually(() =>
      kit.events.some((event) => event.kind === 'closed' && event.reason.kind === 'slow-reader'),
    );
    await eventually(() => kit.frontend.connections === 0);
    const end = kit.events.find(({ kind }) => kind === 'closed');
    assert.ok(end!.connection.pendingBytes < 3_000_000, `${end!.connection.pendingBytes} bytes were waiting`);
  });

  test('a client that says nothing is closed after a while', async () => {
    await using kit = await KafkaKit.start({ limits: { idleMsMax: 50 } });
    using client = await kit.client();
    await client.ended();
    assert.ok(kit.events.some((event) => event.kind === 'closed' && event.reason.kind === 'idle'));
  });

  test('more requests than may be under way wait in the socket', async () => {
    await using kit = await KafkaKit.start({ limits: { requestsMax: 4 } });
    using client = await kit.client();
    using other = await kit.client();
    await client.createTopic('t');
    await client.createTopic('waited-for');
    const waiting = client.send('Fetch', 11, fetchRequest('waited-for', 0, { maxWaitMs: 60_000 }));
    const batch = batchOf(['x'.repeat(400_000)]);
    const ids = Array.from({ length: 30 }, () => client.send('Produce', 9, produceRequest('t', batch)));
    // Answers come in order, so none can go before the fetch's.
    const connection = () => kit.frontend.listConnections()[0]!;
    await eventually(() => connection().underWay >= 4);
    await other.produce('t', batchOf(['y']));
    assert.ok(connection().inBytes < 10 * batch.length, `${connection().inBytes} bytes were read`);
    await other.produce('waited-for', batchOf(['z']));
    await client.receive('Fetch', 11, waiting);
    for (const id of ids) await client.receive('Produce', 9, id);
    assert.equal(kit.broker.topic('t')!.count, 31);
  });
});

describe('logging in', () => {
  async function handshake(client: KafkaClient, mechanism: string): Promise<number> {
    return (await client.call('SaslHandshake', 1, { mechanism })).errorCode;
  }

  async function token(client: KafkaClient, text: string): Promise<{ errorCode: number; text: string }> {
    const { errorCode, authBytes } = await client.call('SaslAuthenticate', 2, {
      authBytes: Buffer.from(text),
    });
    return { errorCode, text: authBytes.toString() };
  }

  test('comes before everything but ApiVersions', async () => {
    await using kit = await KafkaKit.start({ users });
    using client = await kit.client();
    assert.equal((await client.call('ApiVersions', 2, {})).errorCode, 0);
    client.send('Metadata', 5, { topics: null });
    await client.ended();
    assert.equal(kit.frontend.authenticates, true);
  });

  test('by PLAIN needs the right user and password', async () => {
    await using kit = await KafkaKit.start({ users });
    for (const [given, isRight] of [
      ['\0ann\0pencil', true],
      ['ann\0ann\0pencil', true],
      ['\0bob,x=y\0p2', true],
      ['\0ann\0pencils', false],
      ['\0bob\0pencil', false],
      ['bob\0ann\0pencil', false],
      ['ann', false],
      ['', false],
    ] as const) {
      using client = await kit.client();
      assert.equal(await handshake(client, 'PLAIN'), 0);
      const { errorCode } = await token(client, given);
      assert.equal(errorCode, isRight ? 0 : ErrorCode.SASL_AUTHENTICATION_FAILED, given);
      if (isRight) assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
      else await client.ended();
    }
  });

  for (const [mechanism, hash] of [
    ['SCRAM-SHA-256', 'sha256'],
    ['SCRAM-SHA-512', 'sha512'],
  ] as const)
    test(`by ${mechanism} proves the password on both sides`, async () => {
      await using kit = await KafkaKit.start({ users });
      const login = async (
        user: string,
        password: string,
        tamper: (final: string) => string = (final) => final,
        nonceOf: (nonce: string) => string = (nonce) => nonce,
      ) => {
        const client = await kit.client();
        assert.equal(await handshake(client, mechanism), 0);
        const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=fyko+d2lbbFgONRv9qkxdawL`;
        const first = await token(client, `n,,${bare}`);
        assert.equal(first.errorCode, 0);
        const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first.text)!;
        const bytes = hash === 'sha256' ? 32 : 64;
        const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), bytes, hash);
        const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
        const clientKey = hmac(salted, 'Client Key');
        const storedKey = createHash(hash).update(clientKey).digest();
        const withoutProof = `c=biws,r=${nonceOf(nonce)}`;
        const message = `${bare},${first.text},${withoutProof}`;
        const signature = hmac(storedKey, message);
        const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at]!)).toString('base64');
        const last = await token(client, tamper(`${withoutProof},p=${proof}`));
        const expected = hmac(hmac(salted, 'Server Key'), message).toString('base64');
        return { client, last, expected };
      };
      for (const [user, password] of [
        ['ann', 'pencil'],
        ['bob,x=y', 'p2'],
      ] as const) {
        const { client, last, expected } = await login(user, password);
        assert.deepEqual([last.errorCode, last.text], [0, `v=${expected}`]);
        assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
        client[Symbol.dispose]();
      }
      for (const attempt of [
        login('ann', 'wrong'),
        login('nobody', 'pencil'),
        login('ann', 'pencil', (final) => final.replace('r=fyko', 'r=fyk0')),
        login('ann', 'pencil', (final) => final.replace('c=biws', 'c=eSws')),
        login('ann', 'pencil', (final) => final.slice(0, -8)),
        login('ann', 'pencil', () => 'p='),
        // A right proof of another exchange: the nonce is not the one that was given.
        login(
          'ann',
          'pencil',
          undefined,
          (nonce) => `${nonce.slice(0, -1)}${nonce.endsWith('A') ? 'B' : 'A'}`,
        ),
        login('ann', 'pencil', undefined, (nonce) => nonce.slice(0, 24)),
      ]) {
        const { client, last } = await attempt;
        assert.equal(last.errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED);
        await client.ended();
      }
    });

  test('by another mechanism, or where no login is needed, is refused', async () => {
    await using kit = await KafkaKit.start({ users });
    using client = await kit.client();
    const { errorCode, mechanisms } = await client.call('SaslHandshake', 1, { mechanism: 'GSSAPI' });
    assert.equal(errorCode, ErrorCode.UNSUPPORTED_SASL_MECHANISM);
    assert.deepEqual(mechanisms, ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']);
    assert.equal((await token(client, '\0ann\0pencil')).errorCode, ErrorCode.ILLEGAL_SASL_STATE);
    await using open = await KafkaKit.start();
    using other = await open.client();
    assert.equal(await handshake(other, 'PLAIN'), ErrorCode.ILLEGAL_SASL_STATE);
  });

  test('has to be done again in time, by the same user', async () => {
    const clock = new VirtualClock();
    const settings = { 'connections.max.reauth.ms': 60_000 };
    await using kit = await KafkaKit.start({ users, clock, settings }, { clock });
    using client = await kit.client();
    const logIn = async (user: string, password: string): Promise<[number, number]> => {
      assert.equal(await handshake(client, 'PLAIN'), 0);
      const { errorCode, sessionLifetimeMs } = await client.call('SaslAuthenticate', 2, {
        authBytes: Buffer.from(`\0${user}\0${password}`),
      });
      return [errorCode, sessionLifetimeMs];
    };
    const ask = async (): Promise<number> =>
      (await client.call('Metadata', 5, { topics: [] })).brokers.length;
    assert.deepEqual(await logIn('ann', 'pencil'), [0, 60_000]);
    clock.advance(59_999);
    assert.equal(await ask(), 1);
    assert.deepEqual(await logIn('ann', 'pencil'), [0, 60_000]);
    clock.advance(59_999);
    assert.equal(await ask(), 1, 'the time begins again');
    clock.advance(1);
    assert.equal((await client.call('ApiVersions', 2, {})).errorCode, 0, 'how to log in may be asked');
    client.send('Metadata', 5, { topics: [] });
    await client.ended();
    using other = await kit.client();
    await handshake(other, 'PLAIN');
    await token(other, '\0ann\0pencil');
    await handshake(other, 'PLAIN');
    assert.equal((await token(other, '\0bob,x=y\0p2')).errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED);
    await other.ended();
  });

  test('takes bare tokens after version 0 of the handshake', async () => {
    await using kit = await KafkaKit.start({ users });
    using client = await kit.client();
    assert.equal((await client.call('SaslHandshake', 0, { mechanism: 'PLAIN' })).errorCode, 0);
    client.socket.write(frameOf(Buffer.from('\0ann\0pencil')));
    assert.equal((await client.frame())!.length, 0);
    assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
    using wrong = await kit.client();
    await wrong.call('SaslHandshake', 0, { mechanism: 'PLAIN' });
    wrong.socket.write(frameOf(Buffer.from('\0ann\0wrong')));
    await wrong.ended();
  });

  test('must be over in time, and until then frames are small', async () => {
    await using kit = await KafkaKit.start({ users, limits: { authTimeoutMs: 100 } });
    using slow = await kit.client();
    await slow.ended();
    using large = await kit.client();
    large.socket.write(Buffer.from([0, 2, 0, 0]));
    await large.ended();
    assert.ok(
      kit.events.some(
        (event) =>
          event.kind === 'closed' && event.reason.kind === 'error' && /131072 bytes/.test(event.reason.text),
      ),
    );
  });
});

describe('a stop', () => {
  test('answers requests on their way to the disk', async () => {
    const kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const ids = Array.from({ length: 5 }, () =>
      client.send('Produce', 9, produceRequest('t', batchOf(['x']))),
    );
    await eventually(() => kit.broker.topic('t')!.count === 5);
    await kit.frontend.close({ graceMs: 5000 });
    for (const id of ids) await client.receive('Produce', 9, id);
    await client.ended();
    await kit.broker.close();
  });

  test('ends connections that wait for records', async () => {
    const kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    client.send('Fetch', 11, fetchRequest('t', 0, { maxWaitMs: 60_000 }));
    await eventually(() => kit.frontend.listConnections()[0]!.underWay === 1);
    const closed = once(client.socket, 'close');
    await kit[Symbol.asyncDispose]();
    await closed;
    assert.equal(kit.frontend.connections, 0);
  });
});
