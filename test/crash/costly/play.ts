import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameSplitter } from '../../../src/wire/kafka/index.ts';
import { BrokerProcess, type BrokerSettings } from '../broker-process.ts';
import { Child, scriptPath } from '../child.ts';
import type { CostlyInput, Ports } from './input.ts';

/** How an input went. */
export interface Played {
  readonly name: string;
  readonly bytes: number;
  /** The longest that the other connections waited for the least there is to ask. */
  readonly longestMs: { readonly nats: number; readonly kafka: number };
  /** What the broker's first thread took of a processor, and how long it waited for one; where the system tells. */
  readonly processorMs: number;
  readonly queuedMs: number;
  readonly answeredMs: number;
  readonly answerBytes: number;
  readonly outcome: 'answered' | 'closed' | 'no answer' | 'the broker ended';
}

/** No other connection may wait longer, beside what the machine itself makes it wait. */
export const waitMsMax = 200;
const answeredMsMax = 90_000;
/** For what goes on after the answer. */
const afterMs = 500;

/** Plays an input against a broker of its own as it is installed, while two other connections ask for the least there is to ask. */
export async function play(input: CostlyInput, settings: Omit<BrokerSettings, 'kind'>): Promise<Played> {
  const broker = new BrokerProcess({ kind: 'serve', ...settings });
  let pings: Child | undefined;
  try {
    await broker.start();
    const ports: Ports = { nats: broker.port, kafka: broker.kafkaPort! };
    await input.prepare?.(ports);
    const bytes = input.bytes();
    const script = scriptPath('./costly/ping-process.js');
    pings = new Child(process.execPath, [script, JSON.stringify(ports)], { ipc: true });
    await sleep(300);
    await tell(pings, 'begin');
    const before = await scheduled(broker.pid);
    const begin = performance.now();
    const count = input.connections ?? 1;
    const sent = await Promise.all(Array.from({ length: count }, () => send(input, ports, bytes)));
    const answeredMs = performance.now() - begin;
    await sleep(afterMs);
    const after = await scheduled(broker.pid);
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

/** Time on a processor and time in the queue for one, of a process's first thread (proc_pid_schedstat). */
async function scheduled(pid: number): Promise<{ readonly ranMs: number; readonly queuedMs: number }> {
  const text = await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').catch(() => '0 0');
  const [ranNs = 0, queuedNs = 0] = text.split(' ').map(Number);
  return { ranMs: ranNs / 1e6, queuedMs: queuedNs / 1e6 };
}

function send(
  { protocol, answers }: CostlyInput,
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
      } else {
        const text = tail + chunk.toString('latin1');
        left -= text.split('MSG _INBOX.').length - 1;
        tail = text.slice(-'MSG _INBOX'.length);
      }
      if (left <= 0) end('answered');
    });
    socket.on('error', () => {});
    socket.on('close', () => end('closed'));
    if (protocol === 'nats') socket.write('CONNECT {"verbose":false,"headers":true}\r\nSUB _INBOX.> 1\r\n');
    socket.write(bytes);
  });
}
