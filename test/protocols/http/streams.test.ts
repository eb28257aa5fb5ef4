import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, test } from 'node:test';
import { HttpError, jsonPieces } from '../../../src/protocols/http/index.ts';
import { eventually } from '../../support/index.ts';
import { HttpServer, latch } from './http-server.ts';

const mebibyte = Buffer.alloc(2 ** 20, 'x');

describe('a body that comes as a stream', () => {
  test('is binary, and as large as it likes', async () => {
    const sent = Buffer.from(Uint8Array.from({ length: 3 * 2 ** 20 }, (_, at) => at % 251));
    await using server = await HttpServer.start(async (request) => {
      const pieces: Buffer[] = [];
      for await (const piece of request.stream()) pieces.push(piece);
      return { body: Buffer.concat(pieces) };
    });
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body: sent });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), sent);
  });

  test('is read from no faster than its handler takes it', async () => {
    const goOn = latch();
    await using server = await HttpServer.start(async (request) => {
      let bytes = 0;
      for await (const piece of request.stream()) {
        if (bytes === 0) await goOn.promise;
        bytes += piece.length;
      }
      return { body: String(bytes) };
    });
    const size = 64 * mebibyte.length;
    const outgoing = httpRequest({ port: server.port, method: 'POST', headers: { 'content-length': size } });
    const answered = new Promise<string>((resolve) => {
      outgoing.on('response', (response) => response.on('data', (text) => resolve(String(text))));
    });
    for (let sent = 0; sent < size; sent += mebibyte.length) outgoing.write(mebibyte);
    outgoing.end();
    const info = () => server.hall.registry.list()[0];
    await eventually(() => (info()?.inBytes ?? 0) > 0);
    // Reading has come to rest after a small part.
    let before = -1;
    await eventually(() => before === (before = info()?.inBytes ?? 0), { intervalMs: 50 });
    assert.ok(before < 2 ** 20, `${before} bytes were read`);
    goOn.resolve();
    assert.equal(await answered, String(size));
  });

  test('ends with an error when it is too large, and the client hears why', async () => {
    await using server = await HttpServer.start(async (request) => {
      for await (const piece of request.stream(100)) assert.ok(piece.length <= 100);
      return {};
    });
    using client = server.client();
    client.ask('POST /', ['Transfer-Encoding: chunked'], `65\r\n${'x'.repeat(101)}\r\n`);
    assert.match(await client.closed, /^HTTP\/1\.1 413 .*body-too-large/s);
  });

  test('ends with an error when the client leaves', async () => {
    const heard = latch<unknown>();
    await using server = await HttpServer.start(async (request) => {
      try {
        for await (const _ of request.stream()) client.socket.destroy();
      } catch (error) {
        heard.resolve(error);
      }
      return {};
    });
    const client = server.client();
    client.ask('POST /', ['Content-Length: 1000'], 'x');
    const error = await heard.promise;
    assert.ok(error instanceof HttpError && error.code === 'client-gone', String(error));
    await eventually(() => server.frontend.connections === 0);
  });
});

describe('an answer that is a stream', () => {
  test('is made no faster than the client reads it, and ends when the client leaves', async () => {
    let made = 0;
    const ended = latch();
    await using server = await HttpServer.start(() => ({ body: pieces() }));
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          made++;
          yield mebibyte;
        }
      } finally {
        ended.resolve();
      }
    }
    const client = server.client();
    client.socket.pause();
    client.ask('GET /');
    let before = -1;
    await eventually(() => made > 0 && before === (before = made), { intervalMs: 50 });
    assert.ok(made < 40, `${made} MiB were made for a client that reads none`);
    client.socket.destroy();
    await ended.promise;
    await eventually(() => server.frontend.connections === 0);
  });

  test('has each event go out at once', async () => {
    const second = latch();
    await using server = await HttpServer.start((request) => ({
      headers: { 'content-type': 'text/event-stream' },
      body: (async function* events() {
        yield 'data: 1\n\n';
        await second.promise;
        yield 'data: 2\n\n';
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        yield 'data: the server stops\n\n';
      })(),
    }));
    using client = server.client();
    client.ask('GET /events');
    await eventually(() => client.text.includes('data: 1'));
    second.resolve();
    await eventually(() => client.text.includes('data: 2'));
    await server.frontend.close({ graceMs: 5_000 });
    assert.match(await client.closed, /the server stops[^]*0\r\n\r\n$/);
  });

  test('is torn off when its source fails, and the failure is heard of', async () => {
    await using server = await HttpServer.start(() => ({
      body: (async function* pieces() {
        yield 'half';
        throw new Error('no more');
      })(),
    }));
    using client = server.client();
    client.ask('GET /');
    const text = await client.closed;
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(text, /\r\n0\r\n/);
    assert.match(String(server.refused), /no more/);
  });

  test('at hand is a refusal when its source fails before anything went out', async () => {
    await using server = await HttpServer.start(() => ({
      body: jsonPieces({
        toJSON: () => {
          throw new Error('nothing at all');
        },
      }),
    }));
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    assert.deepEqual([response.status, await response.text()], [500, 'internal\n']);
    assert.match(String(server.refused), /nothing at all/);
  });

  test('is not begun for HEAD', async () => {
    let made = 0;
    await using server = await HttpServer.start(() => ({
      body: (async function* pieces() {
        made++;
        yield 'x';
      })(),
    }));
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'HEAD' });
    assert.deepEqual([response.status, await response.text(), made], [200, '', 0]);
  });
});

describe('an answer at hand', () => {
  test('says its length, except where pieces are made one by one', async () => {
    const long = 'ä'.repeat(100_000);
    await using server = await HttpServer.start(({ target }) => ({
      body: target === '/short' ? ['short'] : target === '/long' ? long : [long, long],
    }));
    const lengthOf = async (path: string): Promise<[string | null, number]> => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.headers.get('content-length'), (await response.text()).length];
    };
    assert.deepEqual(await lengthOf('/short'), ['5', 5]);
    assert.deepEqual(await lengthOf('/long'), ['200000', 100_000]);
    assert.deepEqual(await lengthOf('/pieces'), [null, 200_000]);
  });
});

describe('JSON in pieces', () => {
  test('equals the output of JSON.stringify', () => {
    const cases: readonly object[] = [
      {},
      { a: 1, b: undefined, c: null, d: () => 1, e: 'ä"\n', f: { g: [1, [2]] } },
      { list: [], more: [1, undefined, { a: [] }], last: 'x' },
      { list: Array.from({ length: 20_000 }, (_, id) => ({ id, name: `name ${id}` })) },
      [1, 2],
      new Date(0),
    ];
    for (const value of cases) assert.equal([...jsonPieces(value)].join(''), JSON.stringify(value));
  });

  test('is never one large string', () => {
    const pieces = [...jsonPieces({ list: Array.from({ length: 20_000 }, () => 'x'.repeat(100)) })];
    assert.ok(pieces.length > 50);
    assert.ok(pieces.every(({ length }) => length < 33_000));
  });
});
