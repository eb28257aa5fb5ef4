import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameSplitter } from '../../../src/wire/kafka/index.ts';
import { BrokerProcess, type BrokerSettings } from '../broker-process.ts';
import { Child, scriptPath } from '../child.ts';
import { endOfChannel, greeting as amqpGreeting } from './amqp-frames.ts';
import type { CostlyInput, LongestWait, Ports } from './input.ts';
import { scheduled } from './scheduled.ts';

/** How an input went. */
export interface Played {
  readonly name: string;
  readonly bytes: number;
  /** The longest that the other connections waited for the least there is to ask. */
  readonly longestMs: LongestWait;
  /**
   * Processor time of the broker's first thread, and its time in the run queue, if the system reports them.
   */
  readonly processorMs: number;
  readonly queuedMs: number;
  readonly answeredMs: number;
  readonly answerBytes: number;
  readonly outcome: 'answered' | 'closed' | 'no answer' | 'the broker ended';
}

/** The longest allowed wait of another connection, besides the waits that the machine causes. */
export const waitMsMax = 200;
/** Of a frame of AMQP: type, channel, length, class and method. */
const frameHeadBytes = 11;
const answeredMsMax = 90_000;
/** For work that goes on after the answer. */
const afterMs = 500;

/**
 * Plays an input against a broker of its own as it is installed, while three other connections ask for the
 * least there is to ask.
 */
export async function play(input: CostlyInput, settings: Omit<BrokerSettings, 'kind'>): Promise<Played> {
  const args = [...(settings.args ?? []), ...(input.args ?? [])];
  const broker = new BrokerProcess({ kind: 'serve', ...settings, args });
  let pings: Child | undefined;
  try {
    await broker.start();
    const ports: Ports = {
      nats: broker.port,
      kafka: broker.kafkaPort!,
      amqp: broker.amqpPort,
      amqpAdmin: broker.amqpAdminPort!,
    };
    await input.prepare?.(ports);
    const bytes = input.bytes();
    const script = scriptPath('./costly/ping-process.js');
    pings = new Child(process.execPath, [script, JSON.stringify({ ports, pid: broker.pid })], { ipc: true });
    await sleep(300);
    await tell(pings, 'begin');
    const before = scheduled(broker.pid);
    const begin = performance.now();
    const count = input.connections ?? 1;
    const sent = await Promise.all(Array.from({ length: count }, () => send(input, ports, bytes)));
    const answeredMs = performance.now() - begin;
    await sleep(afterMs);
    const after = scheduled(broker.pid);
    const longestMs = await tell(pings, 'end');
    const outcome = broker.end === undefined ? sent[0]!.outcome : 'the broker ended';
    return {
      name: input.name,
      bytes: bytes.length * count,
      longestMs,
      processorMs: after.ranMs - before.ranMs,
      queuedMs: after.queuedMs - before.queuedMs,
      answeredMs,
      answerBytes: sent.reduce((sum, { received }) => sum + received, 0),
      outcome,
    };
  } finally {
    await pings?.kill();
    await broker.kill();
  }
}

async function tell({ process: pings }: Child, what: 'begin' | 'end'): Promise<Played['longestMs']> {
  pings.send(what);
  const [longestMs] = (await once(pings, 'message')) as [Played['longestMs']];
  return longestMs;
}

function send(
  {
    protocol,
    answers,
    greeting = 'CONNECT {"verbose":false,"headers":true}\r\nSUB _INBOX.> inbox\r\n',
  }: CostlyInput,
  ports: Ports,
  bytes: Buffer,
): Promise<{ readonly outcome: Played['outcome']; readonly received: number }> {
  return new Promise((resolve) => {
    const socket = connect({ port: ports[protocol], host: '127.0.0.1', noDelay: true });
    let received = 0;
    let left = answers;
    const end = (outcome: Played['outcome']): void => {
      clearTimeout(timer);
      resolve({ outcome, received });
      socket.destroy();
    };
    const timer = setTimeout(() => end('no answer'), answeredMsMax);
    const splitter = new FrameSplitter(2 ** 30);
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (protocol === 'kafka') {
        splitter.push(chunk);
        while (splitter.next()) left--;
      } else if (protocol === 'amqp') {
        const text = tail + chunk.toString('latin1');
        if (endOfChannel.test(text)) left = 0;
        tail = text.slice(-frameHeadBytes);
      } else if (protocol === 'nats') {
        const text = tail + chunk.toString('latin1');
        left -= text.split('MSG _INBOX.').length - 1;
        tail = text.slice(-'MSG _INBOX'.length);
      }
      if (left <= 0) end('answered');
    });
    socket.on('error', () => {});
    socket.on('close', () => end('closed'));
    if (protocol === 'nats') socket.write(greeting);
    if (protocol === 'amqp') socket.write(amqpGreeting);
    socket.write(bytes);
  });
}
