import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { NatsSocket } from '../../bench/load/nats-socket.ts';

/** A server that answers the handshake and then says one thing per line it hears. */
function serve(sayings: string[]): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => {});
    socket.write('INFO {}\r\n');
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
        if (line === 'PING') socket.write('PONG\r\n');
        else if (line === 'next') socket.write(sayings.shift() ?? '');
      }
    });
  };
}

test('a frame that comes in two reads is handed over whole', async () => {
  const server = createServer(serve(['+OK\r\nMSG a 1 4\r\nab', 'cd\r\n'])).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = await NatsSocket.connect((server.address() as AddressInfo).port, (error) => {
    throw error;
  });
  const seen: string[] = [];
  const whole = new Promise<void>((resolve) => {
    socket.reader = (buffer, end) => {
      const position = socket.readControl(buffer, 0, end);
      seen.push(buffer.toString('latin1', position, end));
      if (seen.length === 1) socket.write('next\r\n');
      else resolve();
      return position;
    };
  });
  socket.write('next\r\n');
  await whole;
  socket.end();
  server.close();
  assert.deepEqual(seen, ['MSG a 1 4\r\nab', 'MSG a 1 4\r\nabcd\r\n']);
});
