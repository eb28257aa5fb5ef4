import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Hall } from '../../../src/protocols/connections/index.ts';
import { parseUsers, Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { signRequest } from '../../../src/wire/aws/index.ts';
import { ErrorCode } from '../../../src/wire/kafka/index.ts';
import { listenAdminHttp } from '../../../src/server/admin/http.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { eventually } from '../../support/index.ts';
import { TestServer as AmqpServer } from '../amqp/amqp-kit.ts';
import { AdminServer } from '../amqp-admin/admin-kit.ts';
import { KafkaKit, type KafkaClient } from '../kafka/kit.ts';
import { TestServer } from '../nats/nats-kit.ts';
import { SqsServer } from '../sqs/sqs-kit.ts';

const here = '127.0.0.1';
const users = new Users([userWithPassword('nats', 'ann', 'secret')]);
const amqpUser = userWithPassword('amqp', 'ann', 'secret');
const kafkaUsers = new Users([userWithPassword('kafka', 'ann', 'secret')]);

/** A hall in which some have guessed the password of ann from this address. */
function guessedHall(): { clock: VirtualClock; hall: Hall } {
  const clock = new VirtualClock();
  const hall = new Hall(clock);
  for (let guess = 0; guess < 20; guess++) hall.logins.failed(here, 'ann');
  return { clock, hall };
}

describe('after failed logins', () => {
  test('CONNECT of NATS waits, the verbs after it too, and then all is as usual', async () => {
    const { clock, hall } = guessedHall();
    await using server = await TestServer.start({ users, clock, hall });
    using client = await server.greeted();
    client.send('CONNECT {"verbose":false,"user":"ann","pass":"secret"}\r\nSUB a 1\r\nPUB a 2\r\nhi\r\n');
    const inBytes = (): number => server.nats.listConnections()[0]?.inBytes ?? 0;
    await eventually(() => inBytes() > 0);
    client.send('PING\r\n');
    clock.advance(9_999);
    assert.equal(server.nats.subscriptions, 0);
    clock.advance(1);
    assert.equal(await client.readThrough('PONG\r\n'), 'MSG a 1 2\r\nhi\r\nPONG\r\n');
    using next = await server.greeted();
    next.send('CONNECT {"verbose":false,"user":"ann","pass":"secret"}\r\nPING\r\n');
    await next.expect('PONG\r\n');
  });

  test('a wrong CONNECT hears so only after its time, and too many at once are not looked at', async () => {
    const { clock, hall } = guessedHall();
    await using server = await TestServer.start({ users, clock, hall });
    const wrong = 'CONNECT {"user":"ann","pass":"wrong"}\r\n';
    const clients = [];
    for (let at = 0; at < 4; at++) {
      const client = await server.greeted();
      client.send(wrong);
      clients.push(client);
      if (at < 2) await eventually(() => (server.nats.listConnections()[at]?.inBytes ?? 0) > 0);
    }
    assert.equal(await clients[2]?.closed(), "-ERR 'Authentication Timeout'\r\n");
    assert.equal(await clients[3]?.closed(), "-ERR 'Authentication Timeout'\r\n");
    for (const refused of clients.slice(2)) refused[Symbol.dispose]();
    await eventually(() => server.nats.connections === 2);
    clock.advance(10_000);
    assert.equal(await clients[0]?.closed(), "-ERR 'Authorization Violation'\r\n");
    for (const client of clients.slice(0, 2)) client[Symbol.dispose]();
  });

  for (const bare of [false, true])
    test(`SASL PLAIN of Kafka waits${bare ? ', as bare tokens too' : ''}`, async () => {
      const { clock, hall } = guessedHall();
      await using kit = await KafkaKit.start({ users: kafkaUsers, clock, hall });
      using client = await kit.client();
      await client.call('SaslHandshake', bare ? 0 : 1, { mechanism: 'PLAIN' });
      const before = kit.frontend.listConnections()[0]!.inBytes;
      const id = sendToken(client, bare, '\0ann\0secret');
      await eventually(() => kit.frontend.listConnections()[0]!.inBytes > before);
      clock.advance(9_999);
      assert.equal(kit.frontend.listConnections()[0]!.user, null);
      clock.advance(1);
      await answerOf(client, id);
      assert.equal(kit.frontend.listConnections()[0]!.user, 'ann');
      assert.equal((await client.call('Metadata', 5, { topics: [] })).brokers.length, 1);
    });

  test('the proof of SCRAM waits, not the question before it', async () => {
    const { clock, hall } = guessedHall();
    await using kit = await KafkaKit.start({ users: kafkaUsers, clock, hall });
    using client = await kit.client();
    await client.call('SaslHandshake', 1, { mechanism: 'SCRAM-SHA-256' });
    const first = await client.call('SaslAuthenticate', 2, { authBytes: Buffer.from('n,,n=ann,r=abc') });
    assert.equal(first.errorCode, 0);
    const before = kit.frontend.listConnections()[0]!.inBytes;
    const [nonce] = first.authBytes.toString().split(',');
    const id = client.send('SaslAuthenticate', 2, { authBytes: Buffer.from(`c=biws,${nonce},p=AAAA`) });
    await eventually(() => kit.frontend.listConnections()[0]!.inBytes > before);
    assert.equal(kit.frontend.listConnections()[0]!.underWay, 1);
    clock.advance(10_000);
    const { errorCode } = await client.receive('SaslAuthenticate', 2, id);
    assert.equal(errorCode, ErrorCode.SASL_AUTHENTICATION_FAILED);
  });

  test('start-ok of AMQP waits, and beyond some it is refused', async () => {
    const { clock, hall } = guessedHall();
    await using server = await AmqpServer.start({
      users: new Users([amqpUser]),
      hall,
      brokerOptions: { clock },
    });
    const logIn = (password: string): Promise<string> =>
      server.open({ user: 'ann', password }).then(
        (peer) => {
          peer.end();
          return 'open';
        },
        (error: Error) => error.message,
      );
    // Behind the 8 bytes of the protocol header.
    const arrived = (at: number): Promise<unknown> =>
      eventually(() => (server.amqp.listConnections()[at]?.inBytes ?? 0) > 8);
    const right = logIn('secret');
    await arrived(0);
    const wrong = logIn('wrong');
    await arrived(1);
    const refusal = /^0 connection\.close .*"replyCode":403.*ACCESS_REFUSED/;
    assert.match(await logIn('secret'), refusal);
    clock.advance(9_999);
    assert.equal(server.amqp.listConnections()[0]!.user, null);
    clock.advance(1);
    assert.equal(await right, 'open');
    clock.advance(10_000);
    assert.match(await wrong, refusal);
  });

  test('a request to the management API of AMQP waits, and beyond some it is 401', async () => {
    const { clock, hall } = guessedHall();
    await using server = await AdminServer.start({ configured: [amqpUser], doorHall: hall });
    await expectTwoPlaces(clock, async () => {
      const { status, headers } = await server.ask('GET /whoami', undefined, {
        user: 'ann',
        password: 'wrong',
      });
      assert.equal(status, 401);
      return headers.has('retry-after') ? 'refused' : 'wrong';
    });
  });

  test('a signature of SQS waits, and beyond some it is throttled', async () => {
    const clock = new VirtualClock();
    const hall = new Hall(clock);
    for (let guess = 0; guess < 20; guess++) hall.logins.failed(here, 'AKIAANN');
    const access = { name: 'ann', 'access-key': { id: 'AKIAANN', secret: 'secret' } };
    await using server = await SqsServer.start({ users: new Users(parseUsers([access])), hall });
    await expectTwoPlaces(clock, async () => {
      const headers = {
        host: `${here}:${server.port}`,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.ListQueues',
        'x-amzn-query-mode': 'true',
      };
      const request = { method: 'POST', target: '/', headers, body: Buffer.from('{}') };
      const signature = signRequest(request, {
        accessKeyId: 'AKIAANN',
        secret: 'wrong',
        region: 'us-east-1',
        service: 'sqs',
        timeMs: clock.now(),
      });
      const answer = await server.ask('ListQueues', {}, signature);
      const code = answer.headers.get('x-amzn-query-error');
      if (code === 'Throttling;Sender') return 'refused';
      assert.equal(code, 'SignatureDoesNotMatch;Sender');
      return 'wrong';
    });
  });

  test('a request with the admin token waits, and beyond some it is 429', async () => {
    const clock = new VirtualClock();
    const hall = new Hall(clock);
    for (let guess = 0; guess < 20; guess++) hall.logins.failed(here, 'admin token');
    const admin = await listenAdminHttp({
      routes: [{ method: 'GET', path: '/a', summary: '', handle: () => ({ kind: 'json', body: {} }) }],
      context: undefined,
      hall,
      connectionsMax: 10,
      host: here,
      port: 0,
      token: 'right',
      onError: () => {},
    });
    try {
      const ask = async (token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(`http://${here}:${admin.port}/a`, { headers })).status;
      };
      const waiting = [ask('right'), ask('wrong'), ask('wrong'), ask('wrong')];
      // Two have a place in the queue.
      await Promise.race([Promise.all(waiting.slice(2)), Promise.all(waiting.slice(0, 3))]);
      clock.advance(20_000);
      const statuses = await Promise.all(waiting);
      assert.equal(statuses.filter((status) => status === 429).length, 2);
      assert.equal(await ask('right'), statuses.includes(200) ? 200 : 429);
    } finally {
      await admin.close({ graceMs: 100 });
    }
  });
});

/** Of four guesses two are refused at once, and two are checked, but only when their time has come. */
async function expectTwoPlaces(
  clock: VirtualClock,
  guess: () => Promise<'refused' | 'wrong'>,
): Promise<void> {
  const heard: ('refused' | 'wrong')[] = [];
  const guesses = Array.from({ length: 4 }, async () => heard.push(await guess()));
  await eventually(() => heard.length === 2);
  assert.deepEqual(heard, ['refused', 'refused']);
  clock.advance(20_000);
  await Promise.all(guesses);
  assert.deepEqual(heard, ['refused', 'refused', 'wrong', 'wrong']);
}

function sendToken(client: KafkaClient, bare: boolean, text: string): number | undefined {
  const authBytes = Buffer.from(text);
  if (!bare) return client.send('SaslAuthenticate', 2, { authBytes });
  const frame = Buffer.alloc(4 + authBytes.length);
  frame.writeInt32BE(authBytes.length, 0);
  frame.set(authBytes, 4);
  client.socket.write(frame);
  return undefined;
}

async function answerOf(client: KafkaClient, id: number | undefined): Promise<void> {
  if (id === undefined) assert.equal((await client.frame())!.length, 0);
  else assert.equal((await client.receive('SaslAuthenticate', 2, id)).errorCode, 0);
}
