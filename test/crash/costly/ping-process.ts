import { connect } from 'node:net';
import { methodFrame, methods } from '../../../src/wire/amqp/index.ts';
import { requestBytes } from '../../protocols/kafka/kit.ts';
import { greeting as amqpGreeting } from './amqp-frames.ts';
import type { LongestWait, Ports } from './input.ts';
import { scheduled } from './scheduled.ts';

// Three connections that ask the least there is to ask, all the time: `ping-process.js JSON` with the ports
// and the process of the broker. Told to begin, it forgets; told to end, it tells the longest waits.

const everyMs = 2;
const { ports, pid } = JSON.parse(process.argv[2] ?? '') as { readonly ports: Ports; readonly pid: number };
const nothing: LongestWait = { nats: 0, kafka: 0, amqp: 0, processor: 0 };
let longest: { -readonly [K in keyof LongestWait]: number } = { ...nothing };

/**
 * Asks again `everyMs` after the answer, and on another connection when the broker has ended this one: it may
 * want a login that the question does not need.
 */
function keepAsking(
  protocol: 'nats' | 'kafka' | 'amqp',
  greeting: string | Buffer,
  question: Buffer,
  isAnswer: RegExp | undefined,
): void {
  const socket = connect({ port: ports[protocol], host: '127.0.0.1', noDelay: true });
  socket.write(greeting);
  let asked: { readonly atMs: number; readonly ranMs: number } | undefined;
  const ask = (): void => {
    asked = { atMs: performance.now(), ranMs: scheduled(pid).ranMs };
    if (socket.writable) socket.write(question);
  };
  // What comes before the first answer is the login's, which waits where others failed with theirs.
  let isIn = false;
  const note = (): void => {
    if (asked === undefined || !isIn) return;
    longest[protocol] = Math.max(longest[protocol], performance.now() - asked.atMs);
    longest.processor = Math.max(longest.processor, scheduled(pid).ranMs - asked.ranMs);
  };
  socket.on('data', (chunk: Buffer) => {
    if (isAnswer && !isAnswer.test(chunk.toString('latin1'))) return;
    note();
    isIn = true;
    asked = undefined;
    setTimeout(ask, everyMs);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    asked = undefined;
    watched.delete(note);
    keepAsking(protocol, greeting, question, isAnswer);
  });
  watched.add(note);
  ask();
}

const watched = new Set<() => void>();
// The password counts where an input has the broker ask for one.
const greeting = 'CONNECT {"verbose":false,"user":"pillarbox","pass":"right"}\r\n';
keepAsking('nats', greeting, Buffer.from('PING\r\n'), /PONG/);
keepAsking('kafka', '', Buffer.concat(requestBytes('ApiVersions', 0, {})), undefined);
// channel.flow, and its answer.
const flow = methodFrame(1, methods.channel.flow, { active: true });
keepAsking('amqp', amqpGreeting, flow, new RegExp(String.raw`\x00\x14\x00\x15`));

process.on('message', (told: 'begin' | 'end') => {
  if (told === 'begin') longest = { ...nothing };
  // A question that is still without an answer counts with the time so far.
  else for (const note of watched) note();
  process.send?.(longest);
});
process.once('disconnect', () => process.exit(0));
