import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, exitCode } from '../exit-code.ts';
import { LoadSocket, type NatsAddress } from './load-socket.ts';

export interface BenchOptions {
  readonly address: NatsAddress;
  readonly ms: number;
  readonly bytes: number;
  readonly window: number;
  /** A subject captured by a topic that was created for this run, and the name of that topic. */
  readonly storedSubject: string;
  readonly topic: string;
  readonly onProgress: (elapsedMs: number) => void;
}

/** The result of one scenario. Latencies are given if one message is in flight at a time. */
export interface BenchResult {
  readonly scenario: string;
  readonly messages: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly medianMs?: number;
  readonly p99Ms?: number;
}

const chunkBytes = 64 * 1024;
const stallMs = 10_000;

/** Core NATS: one connection publishes, another receives. Messages are counted at the receiver. */
export async function measureLive(options: BenchOptions): Promise<BenchResult> {
  const { address, bytes, ms } = options;
  using subscriber = await LoadSocket.open(address);
  using publisher = await LoadSocket.open(address);
  const subject = `pillarbox.bench.${randomBytes(6).toString('hex')}`;
  // All messages are alike, so their number follows from the bytes received.
  const messageBytes = `MSG ${subject} 1 ${bytes}\r\n`.length + bytes + 2;
  let received = 0;
  await roundTrip(subscriber, `SUB ${subject} 1\r\n`);
  subscriber.onData = (chunk) => (received += chunk.length);
  const publish = Buffer.from(`PUB ${subject} ${bytes}\r\n${'x'.repeat(bytes)}\r\n`);
  const perChunk = Math.max(1, Math.floor(chunkBytes / publish.length));
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => publish));
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < ms) {
    await publisher.sendAll(chunk);
    sent += perChunk;
    options.onProgress(performance.now() - start);
    // One turn of the event loop, so that chunks already received are counted.
    await new Promise(setImmediate);
  }
  await until(() => received >= sent * messageBytes, subscriber);
  return result('live, 1 publisher to 1 subscriber', sent, performance.now() - start);
}

/** Stored publishes, each acknowledged after its sync, with at most `window` unacknowledged. */
export async function measureStored(options: BenchOptions, window: number): Promise<BenchResult> {
  using socket = await LoadSocket.open(options.address);
  const { bytes, ms, storedSubject } = options;
  const inbox = `_INBOX.${randomBytes(11).toString('hex')}`;
  await roundTrip(socket, `SUB ${inbox} 1\r\n`);
  const publish = Buffer.from(`PUB ${storedSubject} ${inbox}.1 ${bytes}\r\n${'x'.repeat(bytes)}\r\n`);
  await roundTrip(socket, `UNSUB 1\r\nSUB ${inbox}.* 1\r\n`);
  let sent = 0;
  let acked = 0;
  let isOver = false;
  const latencies: number[] = [];
  let sentAt = 0;
  const fill = (): void => {
    const room = isOver ? 0 : window - (sent - acked);
    // Send half a window at a time, so that the load costs few writes.
    if (room < Math.max(1, window / 2)) return;
    sent += room;
    sentAt = performance.now();
    socket.send(room === 1 ? publish : Buffer.concat(Array.from({ length: room }, () => publish)));
  };
  let lines = 0;
  let isFirst = true;
  socket.onData = (chunk) => {
    if (isFirst) checkFirstAck(chunk);
    isFirst = false;
    if (window === 1) latencies.push(performance.now() - sentAt);
    // An acknowledgement is two lines: MSG and its JSON.
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
    acked = lines >> 1;
    fill();
  };
  const start = performance.now();
  fill();
  while (performance.now() - start < ms) {
    await sleep(20);
    socket.check();
    options.onProgress(performance.now() - start);
  }
  isOver = true;
  await until(() => acked >= sent, socket);
  const measured = result(
    window === 1 ? 'stored, one at a time' : `stored, ${window} unacknowledged`,
    acked,
    performance.now() - start,
  );
  if (window !== 1) return measured;
  latencies.sort((a, b) => a - b);
  return {
    ...measured,
    medianMs: latencies[latencies.length >> 1] ?? 0,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  };
}

/** Reads the stored messages: pull requests of a durable consumer, with an explicit ack for every message. */
export async function measureConsume(options: BenchOptions, messages: number): Promise<BenchResult> {
  using socket = await LoadSocket.open(options.address);
  const { topic } = options;
  const inbox = `_INBOX.${randomBytes(11).toString('hex')}`;
  const config = {
    durable_name: 'bench',
    ack_policy: 'explicit',
    deliver_policy: 'all',
    max_ack_pending: 50_000,
  };
  const create = JSON.stringify({ stream_name: topic, config, action: 'create' });
  await roundTrip(socket, `SUB ${inbox}.c 1\r\nSUB ${inbox}.m 2\r\n`);
  const created = new Promise<string>(
    (resolve) => (socket.onData = (chunk) => resolve(chunk.toString('latin1'))),
  );
  socket.send(`PUB $JS.API.CONSUMER.CREATE.${topic}.bench ${inbox}.c ${create.length}\r\n${create}\r\n`);
  const reply = await created;
  if (reply.includes('"error"'))
    throw new CliError(exitCode.failure, `The consumer was refused: ${reply.trim()}`);

  const batch = 4096;
  const pull = (count: number): string => {
    const request = JSON.stringify({ batch: count, expires: 30e9 });
    return `PUB $JS.API.CONSUMER.MSG.NEXT.${topic}.bench ${inbox}.m ${request.length}\r\n${request}\r\n`;
  };
  let consumed = 0;
  let asked = 2 * batch;
  let rest = '';
  socket.onData = (chunk) => {
    const text = rest + chunk.toString('latin1');
    let acks = '';
    let at = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      // MSG <subject> <sid> <reply> <bytes>. The payload is all x, so no line of it looks like a verb.
      if (text.startsWith('MSG ', at)) {
        const reply = text.slice(at, end).split(' ')[3] ?? '';
        acks += `PUB ${reply} 4\r\n+ACK\r\n`;
        consumed++;
      }
      at = end + 1;
    }
    rest = text.slice(at);
    while (asked - consumed <= batch) {
      acks += pull(batch);
      asked += batch;
    }
    if (acks !== '') socket.send(acks);
    options.onProgress((options.ms * consumed) / messages);
  };
  const start = performance.now();
  socket.send(pull(batch) + pull(batch));
  await until(
    () => consumed >= messages,
    socket,
    () => consumed,
  );
  return result('consume with an ack each', consumed, performance.now() - start);
}

function checkFirstAck(chunk: Buffer): void {
  const text = chunk.toString('latin1');
  if (text.includes('"seq"')) return;
  throw new CliError(
    exitCode.failure,
    `The first publish was not acknowledged: ${text.slice(0, 300).trim()}`,
  );
}

async function roundTrip(socket: LoadSocket, command: string): Promise<void> {
  let text = '';
  socket.onData = (chunk) => (text += chunk.toString('latin1'));
  socket.send(`${command}PING\r\n`);
  await until(() => text.includes('PONG\r\n'), socket);
  if (text.includes('-ERR')) throw new CliError(exitCode.failure, `The broker refused: ${text.trim()}`);
}

/** Waits for a condition while `progress` moves; gives up after {@link stallMs} without progress. */
async function until(
  isDone: () => boolean,
  socket: LoadSocket,
  progress: () => number = () => 0,
): Promise<void> {
  let last = progress();
  let movedAt = performance.now();
  while (!isDone()) {
    socket.check();
    if (progress() !== last) {
      last = progress();
      movedAt = performance.now();
    }
    if (performance.now() - movedAt > stallMs)
      throw new CliError(
        exitCode.failure,
        `Nothing more came from the broker for ${stallMs / 1000} seconds.`,
      );
    await sleep(2);
  }
}

function result(scenario: string, messages: number, ms: number): BenchResult {
  return { scenario, messages, seconds: ms / 1000, perSecond: (messages / ms) * 1000 };
}
