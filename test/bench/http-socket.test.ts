import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { HttpSocket } from '../../bench/load/http-socket.ts';

let sockets: Socket[];
const server = createServer((socket) => void sockets.push(socket));

beforeEach(async () => {
  sockets = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function sendAll(socket: Socket, texts: readonly string[]): Promise<void> {
  for (const text of texts)
    await new Promise<void>((resolve) => void socket.write(text, () => setImmediate(resolve)));
}

/** Sends a request, which is answered with these texts, one after the other. */
async function answerOf(...texts: readonly string[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const client = await HttpSocket.connect({ port, answerBytesMax: 200, onFailure: (error) => fail(error) });
  try {
    const socket = await accepted;
    socket.setNoDelay();
    socket.once('data', () => void sendAll(socket, texts));
    const answered = new Promise<string>((resolve) =>
      client.ask(Buffer.from('GET / HTTP/1.1\r\n\r\n'), (buffer, start, end) =>
        resolve(buffer.toString('utf8', start, end)),
      ),
    );
    return await Promise.race([answered, failed]);
  } finally {
    client.end();
  }
}

const head = (length: number, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nDate: x\r\ncontent-length: ${length}\r\n\r\n`;

test('an answer ends by its Content-Length, in whatever pieces it comes', async () => {
  assert.equal(await answerOf(`${head(5)}hello`), 'hello');
  assert.equal(await answerOf(head(5).slice(0, 20), head(5).slice(20), 'hel', 'lo'), 'hello');
  assert.equal(await answerOf(head(0)), '');
});

test('what is no answer to count is a failure', async () => {
  await assert.rejects(answerOf(`${head(4, '400 Bad Request')}nope`), /said 400: nope/);
  await assert.rejects(answerOf('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), /Content-Length/);
  await assert.rejects(answerOf(`${head(5)}hello${head(5)}`), /more than one/);
  await assert.rejects(answerOf(`${head(500)}${'x'.repeat(500)}`), /longer than 200/);
});
