import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { readShared } from '../../../src/protocols/connections/index.ts';

describe('shared reads', () => {
  it('bring the bytes of several connections through one buffer, and their end', async () => {
    const buffer = Buffer.alloc(16);
    const heard = new Map<Socket, string>();
    let ended = 0;
    const server = createServer({ pauseOnConnect: true }, (accepted) => {
      const socket: Socket = readShared(accepted, buffer, (chunk) => {
        assert.equal(chunk.buffer, buffer.buffer);
        heard.set(socket, (heard.get(socket) ?? '') + chunk.toString());
      });
      socket.on('end', () => {
        if (++ended === 3) server.close();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const said = ['a'.repeat(40), 'b'.repeat(5), 'c'.repeat(33)];
    for (const text of said) connect(port, '127.0.0.1').end(text);
    await once(server, 'close');
    assert.deepEqual([...heard.values()].sort(), said);
  });

  it('stop while paused, and go on when resumed', async () => {
    let got = '';
    const sides: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (accepted) => {
      const side = readShared(accepted, Buffer.alloc(8), (chunk) => {
        got += chunk.toString();
      });
      sides.push(side);
      side.pause();
      side.write('go');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    const [go] = (await once(client, 'data')) as [Buffer];
    assert.equal(go.toString(), 'go');
    client.end('x'.repeat(20));
    // Another connection goes all the way round, so that the bytes sent first have had their chance.
    const other = connect(port, '127.0.0.1');
    await once(other, 'data');
    assert.equal(got, '');
    sides[0]!.resume();
    await once(sides[0]!, 'end');
    assert.equal(got, 'x'.repeat(20));
    other.destroy();
    sides[1]!.destroy();
    server.close();
  });

  it('fall back to the usual way where a socket has no handle to move', async () => {
    const stream = new PassThrough();
    stream.pause();
    let got = '';
    const socket = readShared(stream as unknown as Socket, Buffer.alloc(8), (chunk) => {
      got += chunk.toString();
    });
    assert.equal(socket, stream);
    stream.end('hello');
    await once(stream, 'end');
    assert.equal(got, 'hello');
  });
});
