import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { BlockLogWriter } from './block-log.ts';
import { serveNbd } from './nbd.ts';

// A disk in memory that records its requests: `block-recorder-process.js SOCKET BASE-IMAGE LOG`. It speaks
// NBD and prints "ready".

const [socketPath = '', imagePath = '', logPath = ''] = process.argv.slice(2);
const image = readFileSync(imagePath);
const log = new BlockLogWriter(logPath);
let turn = 0;

const server = createServer((socket) => {
  serveNbd(socket, {
    bytes: image.length,
    read: (position, length) => Buffer.from(image.subarray(position, position + length)),
    write: (position, data, fua) => {
      data.copy(image, position);
      log.write(turn, position, data, fua);
    },
    flush: () => log.flush(turn),
    turn: () => turn++,
  });
});
server.listen(socketPath, () => process.send?.('ready'));
process.once('disconnect', () => process.exit(0));
