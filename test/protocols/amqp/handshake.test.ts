import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Users, type User } from '../../../src/protocols/index.ts';
import {
  encodeTable,
  heartbeatFrame,
  methodFrame,
  methods,
  protocolHeader,
  type FieldTable,
} from '../../../src/wire/amqp/index.ts';
import { eventually, WireClient } from '../../support/index.ts';
import { Peer, TestServer } from './amqp-kit.ts';

const ann: User = {
  name: 'ann',
  credentials: { password: { kind: 'plain', text: 'secret' } },
  permissions: undefined,
};

/** Sends the protocol header, and connection.start-ok. */
async function logIn(peer: Peer, mechanism: string, response: Uint8Array): Promise<string> {
  peer.write(protocolHeader);
  await peer.expect('0 connection.start');
  const clientProperties: FieldTable = new Map([
    ['capabilities', new Map([['authentication_failure_close', true]])],
  ]);
  peer.send(methods.connection.startOk, { clientProperties, mechanism, response, locale: 'en_US' }, 0);
  return peer.next();
}

const tune = '0 connection.tune {"channelMax":2047,"frameMax":131072,"heartbeat":60}';
const refused = (mechanism: string): string =>
  `0 connection.close {"replyCode":403,"replyText":"ACCESS_REFUSED - Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.","failedClass":0,"failedMethod":0}`;

describe('the handshake', () => {
  it('introduces the server as RabbitMQ, and as Pillarbox', async () => {
    await using server = await TestServer.start();
    using peer = await Peer.connect(server.port);
    peer.write(protocolHeader);
    const start = await peer.expect('0 connection.start ');
    const values = JSON.parse(start.slice(start.indexOf('{'))) as {
      serverProperties: { [name: string]: unknown };
      mechanisms: string;
    };
    assert.equal(values.serverProperties['product'], 'RabbitMQ');
    assert.equal(values.serverProperties['pillarbox'], true);
    assert.equal(values.mechanisms, 'AMQPLAIN PLAIN');
  });

  it('takes any credentials where there are no users', async () => {
    await using server = await TestServer.start();
    using peer = await Peer.connect(server.port);
    assert.equal(await logIn(peer, 'PLAIN', Buffer.from('\0guest\0guest')), tune);
  });

  it('takes passwords by PLAIN and by AMQPLAIN', async () => {
    await using server = await TestServer.start({ users: new Users([ann]) });
    const table = (password: string): Buffer =>
      encodeTable([
        ['LOGIN', 'ann'],
        ['PASSWORD', password],
      ]).subarray(4);
    const cases: readonly (readonly [mechanism: string, response: Uint8Array, answer: string])[] = [
      ['PLAIN', Buffer.from('\0ann\0secret'), tune],
      ['PLAIN', Buffer.from('\0ann\0wrong'), refused('PLAIN')],
      ['AMQPLAIN', table('secret'), tune],
      ['AMQPLAIN', table('wrong'), refused('AMQPLAIN')],
    ];
    for (const [mechanism, response, answer] of cases) {
      using peer = await Peer.connect(server.port);
      assert.equal(await logIn(peer, mechanism, response), answer);
    }
  });

  it('answers another protocol with its own header', async () => {
    await using server = await TestServer.start();
    using client = await WireClient.open(server.port);
    client.send('GET / HTTP/1.1\r\n\r\n');
    await client.expect('AMQP\x00\x00\x09\x01');
    await eventually(() => client.isClosed);
  });

  it('refuses what was not offered: frames, channels, a virtual host', async () => {
    await using server = await TestServer.start();
    const cases = [
      [{ channelMax: 2047, frameMax: 200_000, heartbeat: 0 }, '/', 'negotiated frame_max = 200000 is higher'],
      [{ channelMax: 2047, frameMax: 4000, heartbeat: 0 }, '/', 'negotiated frame_max = 4000 is lower'],
      [{ channelMax: 3000, frameMax: 4096, heartbeat: 0 }, '/', 'negotiated channel_max = 3000 is higher'],
      [{ channelMax: 10, frameMax: 4096, heartbeat: 0 }, 'other', 'vhost other not found'],
    ] as const;
    for (const [tuned, virtualHost, text] of cases) {
      using peer = await Peer.connect(server.port);
      await logIn(peer, 'PLAIN', Buffer.from('\0guest\0guest'));
      peer.send(methods.connection.tuneOk, tuned, 0);
      peer.send(methods.connection.open, { virtualHost, reserved1: '', reserved2: false }, 0);
      const close = await peer.expect('0 connection.close {"replyCode":530,"replyText":"NOT_ALLOWED - ');
      assert.ok(close.includes(text), close);
    }
  });

  it('ends a client that says nothing', async () => {
    await using server = await TestServer.start({ limits: { handshakeMs: 200 } });
    using peer = await Peer.connect(server.port);
    await eventually(() => peer.isClosed);
    const [, closed] = server.events;
    assert.deepEqual(closed?.kind === 'closed' && closed.reason, { kind: 'silent' });
  });

  it('sends heartbeats, and ends a connection that sends none', async () => {
    await using server = await TestServer.start({ limits: { handshakeMs: 400 } });
    using peer = await Peer.connect(server.port);
    await logIn(peer, 'PLAIN', Buffer.from('\0guest\0guest'));
    peer.send(methods.connection.tuneOk, { channelMax: 1, frameMax: 4096, heartbeat: 1 }, 0);
    peer.send(methods.connection.open, { virtualHost: '/', reserved1: '', reserved2: false }, 0);
    await peer.expect('0 connection.open-ok');
    await peer.expect('0 heartbeat');
    peer.write(heartbeatFrame);
    await peer.expect('0 heartbeat');
    await eventually(() => peer.isClosed);
    const closed = server.events.at(-1);
    assert.deepEqual(closed?.kind === 'closed' && closed.reason, { kind: 'silent' });
  });

  it('closes in both directions', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    peer.send(
      methods.connection.close,
      { replyCode: 200, replyText: 'bye', failedClass: 0, failedMethod: 0 },
      0,
    );
    await peer.expect('0 connection.close-ok');
    using other = await server.open();
    await server.amqp.close();
    await other.expect('0 connection.close {"replyCode":320,"replyText":"CONNECTION_FORCED - ');
  });
});

describe('frames that do not belong', () => {
  const open = methodFrame(1, methods.channel.open, { reserved1: '' });
  const publish = methodFrame(1, methods.basic.publish, {
    reserved1: 0,
    exchange: '',
    routingKey: 'q',
    mandatory: false,
    immediate: false,
  });
  const body = Buffer.from([3, 0, 1, 0, 0, 0, 1, 65, 0xce]);
  const cases: readonly (readonly [what: string, frames: Buffer[], close: string])[] = [
    ['a second channel.open', [open], '504,"replyText":"CHANNEL_ERROR - second \'channel.open\' seen'],
    [
      'a method on a closed channel',
      [methodFrame(7, methods.confirm.select, { noWait: false })],
      '504,"replyText":"CHANNEL_ERROR - expected \'channel.open\'',
    ],
    ['a body without a method', [body], '505,"replyText":"UNEXPECTED_FRAME - '],
    ['a body without a header', [publish, body], '505,"replyText":"UNEXPECTED_FRAME - '],
    ['a method within a content', [publish, open], '504,"replyText":"CHANNEL_ERROR - '],
    [
      'a publish within a content',
      [publish, publish],
      '505,"replyText":"UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead',
    ],
    [
      'an unknown method',
      [Buffer.from([1, 0, 1, 0, 0, 0, 4, 0, 99, 0, 1, 0xce])],
      '503,"replyText":"COMMAND_INVALID - ',
    ],
    [
      'arguments that are cut',
      [Buffer.from([1, 0, 1, 0, 0, 0, 4, 0, 50, 0, 10, 0xce])],
      '501,"replyText":"FRAME_ERROR - ',
    ],
    [
      'a heartbeat on a channel',
      [Buffer.from([8, 0, 1, 0, 0, 0, 0, 0xce])],
      '505,"replyText":"UNEXPECTED_FRAME - ',
    ],
    [
      'a frame of an unknown type',
      [Buffer.from([9, 0, 1, 0, 0, 0, 0, 0xce])],
      '501,"replyText":"FRAME_ERROR - ',
    ],
  ];
  for (const [what, frames, close] of cases)
    it(`close the connection: ${what}`, async () => {
      await using server = await TestServer.start();
      using bystander = await server.open();
      using peer = await server.open();
      for (const frame of frames) peer.write(frame);
      await peer.expect(`0 connection.close {"replyCode":${close}`);
      await bystander.silent();
    });
});
