import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveMessage, type LiveSubscriber } from '../../../src/broker/index.ts';
import { encodeHeaders, natsHeaders } from '../../../src/wire/nats/index.ts';
import { partsOf, says, TestServer } from './nats-kit.ts';

const block = 'NATS/1.0\r\nA: 1\r\n\r\n';

describe('SUB and PUB', () => {
  it('deliver with subject, sid and reply', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB a.* 7\r\nPUB a.b 2\r\nhi\r\n', 'MSG a.b 7 2\r\nhi\r\n');
    await says(client, 'SUB x mine\r\nPUB x r.1 2\r\nhi\r\n', 'MSG x mine r.1 2\r\nhi\r\n');
    await says(
      client,
      'PUB x 0\r\n\r\nPUB x 5\r\n12345\r\n',
      'MSG x mine 0\r\n\r\nMSG x mine 5\r\n12345\r\n',
    );
  });

  it('deliver the same message however its line was written', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB x 1\r\nSUB y.> 2\r\n', '');
    await says(client, 'pub  x \t r 2\nhi\r\n', 'MSG x 1 r 2\r\nhi\r\n');
    await says(client, 'PUB x  3 \r\nhey\r\n', 'MSG x 1 3\r\nhey\r\n');
    await says(client, 'PUB\ty.z\t3\r\nhey\r\n', 'MSG y.z 2 3\r\nhey\r\n');
    await says(client, 'HPUB x 0 2\r\nhi\r\n', 'MSG x 1 2\r\nhi\r\n');
  });

  it('deliver headers to clients that take them, and the payload alone to others', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    using plain = await server.connect({ headers: false, no_responders: false });
    await says(client, 'SUB x 1\r\nSUB *.y 2\r\n', '');
    await says(plain, 'SUB x 1\r\nSUB *.y 2\r\n', '');
    const total = block.length + 2;
    await says(
      client,
      `HPUB x r ${block.length} ${total}\r\n${block}hi\r\n`,
      `HMSG x 1 r ${block.length} ${total}\r\n${block}hi\r\n`,
    );
    await says(
      client,
      `HPUB x.y ${block.length} ${block.length}\r\n${block}\r\n`,
      `HMSG x.y 2 ${block.length} ${block.length}\r\n${block}\r\n`,
    );
    await says(plain, '', 'MSG x 1 r 2\r\nhi\r\nMSG x.y 2 0\r\n\r\n');
  });

  it('pass header blocks on as they are, also odd ones', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB x 1\r\nHPUB x 8 8\r\nNOTS/1.0\r\n', 'HMSG x 1 8 8\r\nNOTS/1.0\r\n');
  });

  it('keep the order of one publisher, whatever chunks it comes in', async () => {
    await using server = await TestServer.start();
    using subscriber = await server.connect();
    using publisher = await server.connect();
    await says(subscriber, 'SUB n.* 1\r\n', '');
    const sizes = Array.from({ length: 3000 }, (_, i) => (i % 100 === 0 ? 70_000 : i % 7));
    for (const [i, size] of sizes.entries()) publisher.send(`PUB n.${i} ${size}\r\n${'x'.repeat(size)}\r\n`);
    await says(publisher, '', '');
    await subscriber.expect(
      sizes.map((size, i) => `MSG n.${i} 1 ${size}\r\n${'x'.repeat(size)}\r\n`).join(''),
    );
  });

  it('deliver a payload of the largest size, byte for byte', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    const value = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < value.length; i++) value[i] = (i * 31) >> 3;
    client.send('SUB a 1\r\nPUB a 1048576\r\n');
    client.send(value);
    client.send('\r\nPING\r\n');
    await client.expect(`MSG a 1 1048576\r\n${value.toString('latin1')}\r\nPONG\r\n`);
  });

  it('complain about invalid subjects of SUB and go on', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    for (const subject of ['a..b', '.a', 'a.', '>.a', 'a.>.b', 'a.\xff']) {
      await says(client, `SUB ${subject} 1\r\n`, "-ERR 'Invalid Subject'\r\n");
    }
    for (const [i, subject] of ['foo*', 'foo>', 'a.*b', '*.>'].entries())
      await says(client, `SUB ${subject} ${i}\r\n`, '');
    await says(client, 'PUB foo* 0\r\n\r\n', 'MSG foo* 0 0\r\n\r\n');
  });

  it('leave a sid with its first subject', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB a 1\r\nSUB b 1\r\nPUB b 0\r\n\r\nPUB a 0\r\n\r\n', 'MSG a 1 0\r\n\r\n');
  });

  it('do not echo to a client that does not want it', async () => {
    await using server = await TestServer.start();
    using client = await server.connect({ echo: false });
    using other = await server.connect();
    await says(client, 'SUB a 1\r\nSUB a q 2\r\n', '');
    await says(other, 'SUB a q 2\r\n', '');
    await says(client, 'PUB a 0\r\n\r\n', '');
    await says(other, '', 'MSG a 2 0\r\n\r\n');
  });
});

describe('UNSUB', () => {
  it('ends a subscription now, or after so many messages since SUB', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    const publish = 'PUB a 0\r\n\r\n';
    await says(client, `SUB a 1\r\nUNSUB 1\r\n${publish}`, '');
    await says(
      client,
      `SUB a 1\r\nUNSUB 1 2\r\n${publish}${publish}${publish}`,
      'MSG a 1 0\r\n\r\n'.repeat(2),
    );
    await says(
      client,
      `SUB a 1\r\n${publish}UNSUB 1 2\r\n${publish}${publish}`,
      'MSG a 1 0\r\n\r\n'.repeat(2),
    );
    await says(
      client,
      `SUB a 1\r\n${publish}${publish}UNSUB 1 2\r\n${publish}`,
      'MSG a 1 0\r\n\r\n'.repeat(2),
    );
    await says(client, `SUB a 1\r\nUNSUB 1 x\r\n${publish}`, '');
    await says(client, `SUB a 1\r\nUNSUB 1 0\r\n${publish}`, '');
    assert.equal(server.router.subscriptions, 0);
  });
});

describe('queues', () => {
  it('give each message to one member, over all connections', async () => {
    await using server = await TestServer.start();
    using one = await server.connect();
    using two = await server.connect();
    using publisher = await server.connect();
    await says(one, 'SUB job.* workers 1\r\nSUB job.1 workers 2\r\n', '');
    await says(two, 'SUB job.> workers 1\r\nSUB job.1 2\r\n', '');
    publisher.send('PUB job.1 1\r\nx\r\n'.repeat(600));
    await says(publisher, '', '');
    const count = async (client: typeof one, pattern: RegExp): Promise<number> => {
      client.send('PING\r\n');
      return (await client.readThrough('PONG\r\n')).match(pattern)?.length ?? 0;
    };
    const first = await count(one, /MSG job\.1 [12] 1/g);
    two.send('PING\r\n');
    const text = await two.readThrough('PONG\r\n');
    const second = text.match(/MSG job\.1 1 1/g)?.length ?? 0;
    assert.equal(text.match(/MSG job\.1 2 1/g)?.length, 600, 'a plain subscription hears everything');
    assert.equal(first + second, 600);
    assert.ok(first > 250 && second > 100, `${first} and ${second}`);
  });
});

describe('no responders', () => {
  const nobody = (subject: string, sid: string, reply: string): string => {
    const status = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
    return `HMSG ${reply} ${sid} ${status.length} ${status.length}\r\n${status}\r\n`;
  };

  it('is told to the requester, once, on its own subscription', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB inbox.1 1\r\nPUB nobody inbox.1 2\r\nhi\r\n', nobody('nobody', '1', 'inbox.1'));
    await says(
      client,
      'SUB inbox.* 2\r\nUNSUB 1 1\r\nPUB nobody inbox.1 0\r\n\r\n',
      nobody('nobody', '1', 'inbox.1'),
    );
    await says(client, 'PUB inbox.1 0\r\n\r\n', 'MSG inbox.1 1 0\r\n\r\nMSG inbox.1 2 0\r\n\r\n');
  });

  it('is not told without a reply, without a subscription of its own, without a request for it, or with a listener', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    using other = await server.connect({ no_responders: false });
    await says(client, 'PUB nobody 0\r\n\r\nPUB nobody inbox.1 0\r\n\r\n', '');
    await says(other, 'SUB inbox.1 1\r\nPUB nobody inbox.1 0\r\n\r\n', '');
    await says(client, 'PUB nobody inbox.1 0\r\n\r\n', '');
    await says(other, 'SUB service 2\r\n', '');
    await says(client, 'SUB inbox.1 1\r\nPUB service inbox.1 0\r\n\r\n', '');
  });

  it('is told when the only listener is the requester itself, which does not want its echo', async () => {
    await using server = await TestServer.start();
    using client = await server.connect({ echo: false });
    await says(
      client,
      'SUB service 1\r\nSUB inbox.1 2\r\nPUB service inbox.1 0\r\n\r\n',
      nobody('service', '2', 'inbox.1'),
    );
  });
});

describe('other layers on the router', () => {
  it('get the publishes of NATS clients', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    const heard: object[] = [];
    const subscriber: LiveSubscriber = {
      congested: false,
      whenDrained: () => {},
      receive: (message) => heard.push(partsOf(message)) > 0,
    };
    server.router.subscribe('a.*', undefined, subscriber);
    await says(
      client,
      `PUB a.b r 2\r\nhi\r\nHPUB a.c ${block.length} ${block.length + 1}\r\n${block}x\r\n`,
      '',
    );
    assert.deepEqual(heard, [
      { subject: 'a.b', reply: 'r', headers: [], value: 'hi' },
      { subject: 'a.c', reply: undefined, headers: ['A: 1'], value: 'x' },
    ]);
  });

  it('are heard by NATS clients, with headers as a list, a block or none', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    using plain = await server.connect({ headers: false, no_responders: false });
    await says(client, 'SUB a.* 1\r\nSUB a.b 2\r\nUNSUB 2 1\r\n', '');
    await says(plain, 'SUB a.b 1\r\n', '');
    const message = new LiveMessage();
    const bytes = Buffer.from('a.breplyvalue');
    message.setSubject(bytes, 0, 3);
    message.setReply(bytes, 3, 8);
    message.setValue(bytes, 8, 13);
    assert.equal(server.router.publish(message), 3);
    message.headers = [{ name: 'A', value: Buffer.from('1') }];
    message.setReply(bytes, -1, -1);
    assert.equal(server.router.publish(message), 2);
    const encoded = encodeHeaders([{ name: 'B', value: Buffer.from('2') }]);
    message.setHeaderBlock(natsHeaders, encoded, 0, encoded.length);
    server.router.publish(message);
    message.setHeaderBlock({ decode: () => [{ name: 'C', value: null }] }, bytes, 0, 1);
    server.router.publish(message);
    await says(
      client,
      '',
      [
        'MSG a.b 2 reply 5\r\nvalue\r\n',
        'MSG a.b 1 reply 5\r\nvalue\r\n',
        'HMSG a.b 1 18 23\r\nNATS/1.0\r\nA: 1\r\n\r\nvalue\r\n',
        'HMSG a.b 1 18 23\r\nNATS/1.0\r\nB: 2\r\n\r\nvalue\r\n',
        'HMSG a.b 1 17 22\r\nNATS/1.0\r\nC: \r\n\r\nvalue\r\n',
      ].join(''),
    );
    await says(plain, '', `MSG a.b 1 reply 5\r\nvalue\r\n${'MSG a.b 1 5\r\nvalue\r\n'.repeat(3)}`);
  });

  it('answer a requester on the same connection', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    await says(client, 'SUB r 1\r\n', '');
    client.send('PUB $SYS.REQ.USER.INFO r 0\r\n\r\nPING\r\n');
    assert.match(await client.readThrough('PONG\r\n'), /^MSG r 1 \d+\r\n\{"server":.*"account":"\$G"/);
  });
});
