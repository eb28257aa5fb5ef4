import { connect, type Socket } from 'node:net';
import { requestBytes } from '../../protocols/kafka/kit.ts';
import type { Ports } from './input.ts';

// Two connections that ask the least there is to ask, all the time: `ping-process.js PORTS-JSON`. Told to begin, it forgets; told to end, it tells the
// longest wait of each.

const everyMs = 2;
const ports = JSON.parse(process.argv[2] ?? '') as Ports;
const longestMs = { nats: 0, kafka: 0 };

/** Asks again `everyMs` after the answer. */
function keepAsking(
  socket: Socket,
  protocol: keyof Ports,
  question: Buffer,
  isAnswer: RegExp | undefined,
): void {
  let askedMs = 0;
  const ask = (): void => {
    askedMs = performance.now();
    socket.write(question);
  };
  const sinceMs = (): void => {
    if (askedMs > 0) longestMs[protocol] = Math.max(longestMs[protocol], performance.now() - askedMs);
  };
  socket.on('data', (chunk: Buffer) => {
    if (isAnswer && !isAnswer.test(chunk.toString('latin1'))) return;
    sinceMs();
    askedMs = 0;
    setTimeout(ask, everyMs);
  });
  socket.on('error', () => {});
  watched.push(sinceMs);
  ask();
}

const watched: (() => void)[] = [];
const nats = connect({ port: ports.nats, host: '127.0.0.1', noDelay: true });
nats.write('CONNECT {"verbose":false}\r\n');
keepAsking(nats, 'nats', Buffer.from('PING\r\n'), /PONG/);
const kafka = connect({ port: ports.kafka, host: '127.0.0.1', noDelay: true });
keepAsking(kafka, 'kafka', Buffer.concat(requestBytes('ApiVersions', 0, {})), undefined);

process.on('message', (told: 'begin' | 'end') => {
  if (told === 'begin') longestMs.nats = longestMs.kafka = 0;
  // A question that is still without an answer counts with the time so far.
  else for (const count of watched) count();
  process.send?.(longestMs);
});
process.once('disconnect', () => process.exit(0));
