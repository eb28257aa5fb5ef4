import { connect, type Socket } from 'node:net';
import { requestBytes } from '../../protocols/kafka/kit.ts';
import type { LongestWait, Ports } from './input.ts';
import { scheduled } from './scheduled.ts';

// Two connections that ask the least there is to ask, all the time: `ping-process.js JSON` with the ports and
// the process of the broker. Told to begin, it forgets; told to end, it tells the longest waits.

const everyMs = 2;
const { ports, pid } = JSON.parse(process.argv[2] ?? '') as { readonly ports: Ports; readonly pid: number };
const nothing: LongestWait = { nats: 0, kafka: 0, processor: 0 };
let longest: { -readonly [K in keyof LongestWait]: number } = { ...nothing };

/** Asks again `everyMs` after the answer. */
function keepAsking(
  socket: Socket,
  protocol: keyof Ports,
  question: Buffer,
  isAnswer: RegExp | undefined,
): void {
  let asked: { readonly atMs: number; readonly ranMs: number } | undefined;
  const ask = (): void => {
    asked = { atMs: performance.now(), ranMs: scheduled(pid).ranMs };
    socket.write(question);
  };
  const note = (): void => {
    if (asked === undefined) return;
    longest[protocol] = Math.max(longest[protocol], performance.now() - asked.atMs);
    longest.processor = Math.max(longest.processor, scheduled(pid).ranMs - asked.ranMs);
  };
  socket.on('data', (chunk: Buffer) => {
    if (isAnswer && !isAnswer.test(chunk.toString('latin1'))) return;
    note();
    asked = undefined;
    setTimeout(ask, everyMs);
  });
  socket.on('error', () => {});
  watched.push(note);
  ask();
}

const watched: (() => void)[] = [];
const nats = connect({ port: ports.nats, host: '127.0.0.1', noDelay: true });
nats.write('CONNECT {"verbose":false}\r\n');
keepAsking(nats, 'nats', Buffer.from('PING\r\n'), /PONG/);
const kafka = connect({ port: ports.kafka, host: '127.0.0.1', noDelay: true });
keepAsking(kafka, 'kafka', Buffer.concat(requestBytes('ApiVersions', 0, {})), undefined);

process.on('message', (told: 'begin' | 'end') => {
  if (told === 'begin') longest = { ...nothing };
  // A question that is still without an answer counts with the time so far.
  else for (const note of watched) note();
  process.send?.(longest);
});
process.once('disconnect', () => process.exit(0));
