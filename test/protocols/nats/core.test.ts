import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { WireClient } from '../../support/index.ts';
import { says, TestServer } from './nats-kit.ts';

describe('the greeting', () => {
  it('is INFO, first of all', async () => {
    await using server = await TestServer.start({ limits: { payloadBytesMax: 1000 } });
    using client = await WireClient.open(server.port);
    const info = JSON.parse((await client.line()).slice('INFO '.length)) as Record<string, unknown>;
    assert.deepEqual(
      { ...info, server_id: typeof info['server_id'], version: typeof info['version'] },
      {
        server_id: 'string',
        server_name: 'test',
        version: 'string',
        proto: 1,
        host: '127.0.0.1',
        port: server.port,
        headers: true,
        max_payload: 1000,
        client_id: 1,
        client_ip: '127.0.0.1',
      },
    );
  });
});

describe('a client without CONNECT', () => {
  it('is verbose: +OK after its verbs, but not after PING, and before the message it causes', async () => {
    await using server = await TestServer.start();
    using client = await server.greeted();
    await client.exchange('PING\r\n', 'PONG\r\n');
    await client.exchange('SUB a 1\r\n', '+OK\r\n');
    await client.exchange('PUB a 2\r\nhi\r\n', '+OK\r\nMSG a 1 2\r\nhi\r\n');
    await client.exchange('UNSUB 1\r\nUNSUB nonsense\r\n', '+OK\r\n+OK\r\n');
    await client.exchange('CONNECT {}\r\n', '+OK\r\n');
    await client.exchange('CONNECT {"verbose":false}\r\nPUB a 0\r\n\r\nPING\r\n', 'PONG\r\n');
  });

  it('is pedantic: wrong subjects are complained about and published all the same', async () => {
    await using server = await TestServer.start();
    using client = await server.connect({ pedantic: true });
    for (const subject of ['a..b', 'a.*', '.a', '>']) {
      const complaint = "-ERR 'Invalid Publish Subject'\r\n";
      await says(client, `PUB ${subject} 0\r\n\r\n`.repeat(2), complaint.repeat(2));
    }
    await says(
      client,
      'SUB a.* 1\r\nPUB a.* 0\r\n\r\n',
      "-ERR 'Invalid Publish Subject'\r\nMSG a.* 1 0\r\n\r\n",
    );
  });

  it('has no headers yet', async () => {
    await using server = await TestServer.start();
    using client = await server.greeted();
    client.send('HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n');
    assert.equal(await client.closed(), "-ERR 'message headers not supported'\r\n");
  });
});

describe('CONNECT', () => {
  it('may come again, and keeps members that it does not mention', async () => {
    await using server = await TestServer.start();
    using client = await server.connect({ verbose: false, echo: false });
    await says(client, 'SUB a 1\r\nCONNECT {}\r\nPUB a 0\r\n\r\n', '');
    await says(client, 'CONNECT {"echo":true}\r\nPUB a 0\r\n\r\n', 'MSG a 1 0\r\n\r\n');
  });

  const refused: [connect: string, text: string][] = [
    ['{bad', 'Parser Error'],
    ['', 'Parser Error'],
    ['[]', 'Parser Error'],
    ['{"verbose":"yes"}', 'Parser Error'],
    ['{"protocol":2}', 'invalid client protocol'],
    ['{"no_responders":true}', 'no responders requires headers support'],
    ['{"no_responders":true,"headers":false}', 'no responders requires headers support'],
  ];
  for (const [connect, text] of refused) {
    it(`closes after ${connect || 'nothing'}: ${text}`, async () => {
      await using server = await TestServer.start();
      using client = await server.greeted();
      client.send(`CONNECT ${connect}\r\n`);
      assert.equal(await client.closed(), `-ERR '${text}'\r\n`);
      using other = await server.connect();
      await says(other, '', '');
    });
  }
});

describe('hostile frames', () => {
  const refused: [said: string, text: string][] = [
    ['FOO a\r\n', 'Unknown Protocol Operation'],
    ['\r\n', 'Unknown Protocol Operation'],
    ['MSG a 1 0\r\n\r\n', 'Unknown Protocol Operation'],
    ['PUB a 2\r\nhello\r\n', 'Unknown Protocol Operation'],
    ['PUB a 1048577\r\n', 'Maximum Payload Violation'],
    ['HPUB a 12 1048577\r\n', 'Maximum Payload Violation'],
    [`PUB ${'x'.repeat(5000)}`, 'maximum control line exceeded'],
    ['PUB a -1\r\n', 'Parser Error'],
    ['SUB a\r\n', 'Parser Error'],
    ["-ERR 'what'\r\n", 'Parser Error'],
  ];
  for (const [said, text] of refused) {
    it(`close their own connection and no other: ${JSON.stringify(said.slice(0, 20))}`, async () => {
      await using server = await TestServer.start();
      using other = await server.connect();
      await says(other, 'SUB a 1\r\n', '');
      using client = await server.connect();
      client.send(`PUB a 2\r\nhi\r\n${said}PUB a 3\r\nlost\r\n`);
      assert.equal(await client.closed(), `-ERR '${text}'\r\n`);
      await says(other, '', 'MSG a 1 2\r\nhi\r\n');
      assert.deepEqual(server.closeReasons, ['error']);
    });
  }

  it('find the reason even when they keep sending', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    client.send(`FOO\r\n${'x'.repeat(1_000_000)}`);
    assert.equal(await client.closed(), "-ERR 'Unknown Protocol Operation'\r\n");
  });
});

describe('limits', () => {
  it('of subscriptions per connection: the next SUB is refused, the connection lives', async () => {
    await using server = await TestServer.start({ limits: { subscriptionsMax: 2 } });
    using client = await server.connect();
    await says(client, 'SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n', "-ERR 'maximum subscriptions exceeded'\r\n");
    await says(client, 'SUB a 1\r\nUNSUB 1\r\nSUB c 3\r\nPUB c 0\r\n\r\n', 'MSG c 3 0\r\n\r\n');
  });

  it('of connections: the next one is told and closed', async () => {
    await using server = await TestServer.start({ limits: { connectionsMax: 1 } });
    using first = await server.connect();
    using second = await WireClient.open(server.port);
    assert.equal(await second.closed(), "-ERR 'maximum connections exceeded'\r\n");
    await says(first, '', '');
    assert.equal(server.nats.connections, 1);
  });
});

describe('authentication', () => {
  const users = new Users([
    userWithPassword('nats', 'ann', 'secret'),
    userWithPassword('nats', 'bob', 'other'),
  ]);

  it('lets a client in with the right user and password', async () => {
    await using server = await TestServer.start({ users });
    assert.equal(server.nats.authenticates, true);
    using client = await WireClient.open(server.port);
    assert.match(await client.line(), /"auth_required":true/);
    client.send('CONNECT {"verbose":false,"user":"bob","pass":"other"}\r\nPING\r\n');
    await client.expect('PONG\r\n');
  });

  it('closes on anything else, and on any verb before CONNECT', async () => {
    await using server = await TestServer.start({ users });
    const wrong = [
      'CONNECT {"user":"ann","pass":"other"}\r\n',
      'CONNECT {"user":"ann"}\r\n',
      'CONNECT {"auth_token":"secret"}\r\n',
      'CONNECT {}\r\n',
      'PING\r\n',
      'PUB a 0\r\n\r\n',
      'SUB a 1\r\n',
      'UNSUB 1\r\n',
    ];
    for (const said of wrong) {
      using client = await server.greeted();
      client.send(said);
      assert.equal(await client.closed(), "-ERR 'Authorization Violation'\r\n", said);
    }
  });

  it('takes a token too', async () => {
    await using server = await TestServer.start({
      users: new Users([{ name: 'box', credentials: { token: 'sesame' }, permissions: undefined }]),
    });
    using good = await server.connect({ auth_token: 'sesame' });
    await says(good, '', '');
    using bad = await server.greeted();
    bad.send('CONNECT {"auth_token":"sesam"}\r\n');
    assert.equal(await bad.closed(), "-ERR 'Authorization Violation'\r\n");
  });

  it('has to happen in time', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ users, clock });
    using late = await server.greeted();
    using good = await server.connect({ user: 'ann', pass: 'secret' });
    clock.advance(1_000);
    await says(good, '', '');
    clock.advance(1_000);
    assert.equal(await late.closed(), "-ERR 'Authentication Timeout'\r\n");
    await says(good, '', '');
  });
});

describe('keep-alive', () => {
  const interval = 120_000;

  it('asks a silent client, and closes it as stale when it does not answer', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ clock });
    using client = await server.connect();
    clock.advance(interval); // it had said something
    clock.advance(interval);
    await client.expect('PING\r\n');
    clock.advance(interval);
    await client.expect('PING\r\n');
    clock.advance(interval);
    assert.equal(await client.closed(), "-ERR 'Stale Connection'\r\n");
  });

  it('keeps a client that answers, and does not ask one that speaks', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ clock });
    using silent = await server.connect();
    using busy = await server.connect();
    clock.advance(interval);
    for (let i = 0; i < 5; i++) {
      await says(busy, 'PUB a 0\r\n\r\n', '');
      clock.advance(interval);
      if (i % 2 === 1) continue; // it has just answered
      await silent.expect('PING\r\n');
      silent.send('PONG\r\n');
      await says(silent, '', '');
    }
    await says(silent, '', '');
    assert.deepEqual(server.closeReasons, []);
  });
});

describe('stopping', () => {
  it('tells clients that understand it to go elsewhere, and closes when they have gone', async () => {
    const server = await TestServer.start();
    using modern = await server.connect({ protocol: 1 });
    using old = await server.connect();
    assert.match(await modern.line(), /^INFO .*"connect_info":true/);
    const closed = server.nats.close({ graceMs: 20_000 });
    assert.match(await modern.line(), /^INFO .*"ldm":true/);
    await says(modern, 'SUB a 1\r\nPUB a 2\r\nhi\r\n', 'MSG a 1 2\r\nhi\r\n');
    modern.end();
    old.end();
    await closed;
    assert.equal(server.nats.connections, 0);
    await assert.rejects(WireClient.open(server.port), { code: 'ECONNREFUSED' });
  });

  it('delivers accepted messages before it closes', async () => {
    const server = await TestServer.start();
    using subscriber = await server.connect();
    using publisher = await server.connect();
    await says(subscriber, 'SUB a 1\r\n', '');
    const value = 'x'.repeat(1000);
    publisher.send(`PUB a 1000\r\n${value}\r\n`.repeat(1000));
    await says(publisher, '', '');
    await server.nats.close();
    assert.equal(await subscriber.closed(), `MSG a 1 1000\r\n${value}\r\n`.repeat(1000));
  });
});

describe('connections', () => {
  it('are listed with their properties and counters', async () => {
    await using server = await TestServer.start();
    using client = await server.connect({ name: 'shop', lang: 'ts', version: '1.2' });
    await says(client, 'SUB a 1\r\nSUB b 2\r\nPUB a 2\r\nhi\r\n', 'MSG a 1 2\r\nhi\r\n');
    const [info, ...more] = server.nats.listConnections();
    assert.deepEqual(more, []);
    const { id, address, name, software, version, subscriptions, inMessages, outMessages, pendingBytes } =
      info!;
    assert.deepEqual(
      { id, address, name, software, version, subscriptions, inMessages, outMessages, pendingBytes },
      {
        id: 1,
        address: '127.0.0.1',
        name: 'shop',
        software: 'ts',
        version: '1.2',
        subscriptions: 2,
        inMessages: 1,
        outMessages: 1,
        pendingBytes: 0,
      },
    );
    assert.ok(info!.inBytes > 0 && info!.outBytes > 0);
    assert.equal(server.nats.subscriptions, 2);
  });

  it('take their subscriptions with them', async () => {
    await using server = await TestServer.start();
    const client = await server.connect();
    await says(client, Array.from({ length: 1000 }, (_, i) => `SUB s.${i} ${i}\r\n`).join(''), '');
    assert.equal(server.router.subscriptions, 1000);
    client.end();
    await client.closed();
    assert.equal(server.router.subscriptions, 0);
  });
});
