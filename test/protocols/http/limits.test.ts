import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Hall } from '../../../src/protocols/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { HttpServer, latch } from './http-server.ts';

const echo = async (request: { bytes: () => Promise<Buffer> }): Promise<{ body: Buffer }> => ({
  body: await request.bytes(),
});

describe('requests of one connection', () => {
  test('are under way one at a time, in order', async () => {
    const events: string[] = [];
    await using server = await HttpServer.start(async ({ target }) => {
      events.push(`begin ${target}`);
      await new Promise(setImmediate);
      events.push(`end ${target}`);
      return { body: target };
    });
    using client = server.client();
    for (const target of ['/1', '/2', '/3']) client.ask(`GET ${target}`);
    await eventually(() => client.text.endsWith('/3'));
    assert.deepEqual(events, ['begin /1', 'end /1', 'begin /2', 'end /2', 'begin /3', 'end /3']);
    client.ask('GET /4');
    await eventually(() => client.text.endsWith('/4'));
  });

  test('that wait keep more from being read', async () => {
    const goOn = latch();
    await using server = await HttpServer.start(async () => {
      await goOn.promise;
      return {};
    });
    using client = server.client();
    const ahead = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3);
    client.socket.write(ahead);
    const inBytes = (): number => server.hall.registry.list()[0]?.inBytes ?? 0;
    await eventually(() => inBytes() === ahead.length);
    const large = `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${'y'.repeat(10_000)}\r\n\r\n`;
    client.socket.write(large.repeat(200));
    await eventually(() => inBytes() > ahead.length);
    let before = -1;
    await eventually(() => before === (before = inBytes()), { intervalMs: 100 });
    assert.ok(before < 300_000, `${before} bytes were read`);
    goOn.resolve();
    await eventually(() => client.text.split('200 OK').length === 204);
  });

  test('that come by the thousand in one piece end it, and are not handled', async () => {
    let handled = 0;
    await using server = await HttpServer.start(async () => {
      handled++;
      await new Promise(setImmediate);
      return {};
    });
    using client = server.client();
    client.socket.write('GET / HTTP/1.1\r\nHost:a\r\n\r\n'.repeat(2_300));
    await client.closed;
    await eventually(() => server.frontend.connections === 0);
    assert.ok(handled < 5, `${handled} were handled`);
  });
});

describe('headers', () => {
  test('beyond their limit are 431, in the words of the protocol', async () => {
    await using server = await HttpServer.start(echo);
    using client = server.client();
    client.ask('GET /', [`x: ${'y'.repeat(20_000)}`]);
    assert.match(await client.closed, /^HTTP\/1\.1 431 .*headers-too-large\n$/s);
  });

  test('in a flood of small ones are 431 as well', async () => {
    await using server = await HttpServer.start(echo);
    using client = server.client();
    client.ask(
      'GET /',
      Array.from({ length: 5_000 }, () => 'a:'),
    );
    await eventually(() => client.text.endsWith('headers-too-large\n'));
  });

  test('that are none are 400', async () => {
    await using server = await HttpServer.start(echo);
    using client = server.client();
    client.socket.write('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n');
    assert.match(await client.closed, /^HTTP\/1\.1 400 .*invalid-http\n$/s);
  });

  test('without a Host are 400', async () => {
    await using server = await HttpServer.start(echo);
    using client = server.client();
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    await eventually(() => client.text.endsWith('host-missing\n'));
  });
});

describe('bodies', () => {
  test('that say they are too large are not asked for', async () => {
    await using server = await HttpServer.start(echo, { limits: { bodyBytesMax: 10 } });
    using client = server.client();
    client.ask('POST /', ['Content-Length: 11', 'Expect: 100-continue']);
    const text = await client.closed;
    assert.match(text, /^HTTP\/1\.1 413 .*body-too-large\n$/s);
  });

  test('are asked for when the client waits to be', async () => {
    await using server = await HttpServer.start(echo);
    using client = server.client();
    client.ask('POST /', ['Content-Length: 5', 'Expect: 100-continue']);
    await eventually(() => client.text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('hello');
    await eventually(() => client.text.endsWith('hello'));
  });

  test('that are not wanted do not keep the client from reading the answer', async () => {
    await using server = await HttpServer.start(() => ({ status: 404, body: 'nothing here' }));
    using client = server.client();
    client.ask('POST /', ['Content-Length: 10000000'], Buffer.alloc(1_000_000));
    await eventually(() => client.text.endsWith('nothing here'));
    client.socket.end(Buffer.alloc(9_000_000));
    assert.match(await client.closed, /connection: close/i);
  });

  test('share one room, and one alone has as much as it may', async () => {
    const goOn = latch();
    await using server = await HttpServer.start(
      async (request) => {
        const { length } = await request.bytes();
        await goOn.promise;
        return { body: String(length) };
      },
      { limits: { bodiesBytesMax: 1000 } },
    );
    using first = server.client();
    first.ask('POST /', ['Content-Length: 5000'], 'x'.repeat(5000));
    await eventually(() => server.frontend.bodyBytes === 5000);
    using second = server.client();
    second.ask('POST /', ['Content-Length: 500'], 'x'.repeat(500));
    assert.match(await second.closed, /^HTTP\/1\.1 503 .*bodies-full\n$/s);
    goOn.resolve();
    await eventually(() => first.text.endsWith('5000'));
    await eventually(() => server.frontend.bodyBytes === 0);
  });
});

describe('time', () => {
  async function start(
    handle: Parameters<typeof HttpServer.start>[0],
  ): Promise<{ server: HttpServer; clock: VirtualClock }> {
    const clock = new VirtualClock();
    return { server: await HttpServer.start(handle, { hall: new Hall(clock) }), clock };
  }
  /** Passes in steps, as sweeps see it. */
  function pass(clock: VirtualClock, ms: number): void {
    for (let passed = 0; passed < ms; passed += 500) clock.advance(500);
  }

  test('is short for a client that says nothing', async () => {
    const { server, clock } = await start(echo);
    await using _ = server;
    using client = server.client();
    await eventually(() => server.frontend.connections === 1);
    pass(clock, 9_000);
    assert.equal(server.frontend.connections, 1);
    pass(clock, 2_000);
    assert.equal(await client.closed, '');
  });

  test('is short for headers, however many bytes of them come', async () => {
    const { server, clock } = await start(echo);
    await using _ = server;
    using client = server.client();
    client.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    await eventually(() => server.hall.registry.list()[0]?.inBytes === 33);
    for (let at = 0; at < 22; at++) {
      client.socket.write('a: b\r\n');
      pass(clock, 500);
    }
    assert.match(await client.closed, /^HTTP\/1\.1 408 .*request-too-slow\n$/s);
  });

  test('is a minute for a body, and the client hears why', async () => {
    const { server, clock } = await start(echo);
    await using _ = server;
    using client = server.client();
    client.ask('POST /', ['Content-Length: 100'], 'x');
    await eventually(() => server.frontend.bodyBytes === 1);
    pass(clock, 59_000);
    client.socket.write('x');
    await eventually(() => server.frontend.bodyBytes === 2);
    pass(clock, 2_000);
    await eventually(() => client.text.endsWith('body-too-slow\n'));
    pass(clock, 2_000);
    assert.match(await client.closed, /^HTTP\/1\.1 408 /);
  });

  test('is bounded between two pieces of a stream, not while its handler is at work', async () => {
    let pieces = 0;
    const goOn = latch();
    const { server, clock } = await start(async (request) => {
      for await (const _ of request.stream()) if (pieces++ === 0) await goOn.promise;
      return {};
    });
    await using _ = server;
    using client = server.client();
    client.ask('POST /', ['Content-Length: 100'], 'x');
    await eventually(() => pieces === 1);
    pass(clock, 300_000);
    client.socket.write('x');
    goOn.resolve();
    await eventually(() => pieces === 2);
    pass(clock, 21_000);
    await client.closed;
    await eventually(() => server.refused.length > 0);
  });

  test('is bounded for a client that does not read its answer', async () => {
    const { server, clock } = await start(() => ({ body: Buffer.alloc(32 * 2 ** 20) }));
    await using _ = server;
    using client = server.client();
    client.socket.pause();
    client.ask('GET /');
    await eventually(() => (server.hall.registry.list()[0]?.pendingBytes ?? 0) > 0);
    assert.ok((server.hall.registry.list()[0]?.pendingBytes ?? 0) < 2 ** 18, 'one piece waits');
    pass(clock, 22_000);
    await eventually(() => server.frontend.connections === 0);
  });

  test('is longer between two requests', async () => {
    const { server, clock } = await start(echo);
    await using _ = server;
    using client = server.client();
    client.ask('GET /');
    await eventually(() => client.text.includes('200 OK'));
    pass(clock, 70_000);
    client.ask('GET /');
    await eventually(() => client.text.split('200 OK').length === 3);
    pass(clock, 76_000);
    await client.closed;
  });
});

describe('connections', () => {
  test('are in the registry, and can be closed there', async () => {
    await using server = await HttpServer.start((request) => {
      request.user = 'anna';
      return {};
    });
    using client = server.client();
    client.ask('GET /', ['User-Agent: tester/1']);
    await eventually(() => client.text !== '');
    const [info] = server.hall.registry.list();
    assert.deepEqual([info?.protocol, info?.software, info?.user], ['test', 'tester/1', 'anna']);
    server.hall.registry.get(info?.id ?? 0)?.kick();
    await client.closed;
    await eventually(() => server.hall.registry.size === 0);
  });

  test('that are set apart take no room from others', async () => {
    const hall = new Hall(new VirtualClock(), { connectionsMax: 1 });
    await using apart = await HttpServer.start(echo, { hall, isApart: true });
    await using other = await HttpServer.start(echo, { hall });
    using first = apart.client();
    using second = apart.client();
    await eventually(() => apart.frontend.connections === 2);
    using third = other.client();
    await eventually(() => other.frontend.connections === 1);
    using fourth = other.client();
    assert.match(await fourth.closed, /^HTTP\/1\.1 503 .*connections-exceeded\n$/s);
    for (const { socket } of [first, second, third]) assert.equal(socket.destroyed, false);
  });
});
