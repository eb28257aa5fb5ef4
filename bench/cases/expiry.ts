import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { NatsSocket } from '../load/nats-socket.ts';
import type { Contender, JetStream, ServerProcess } from '../servers/index.ts';
import { both, type Case, type Sample, type Workbench } from './case.ts';
import { recordOf } from '../../src/broker/index.ts';
import { publishAll, usedMb, withBroker } from './in-process.ts';
import { residentMb, restMs, withFreshServer } from './memory.ts';
import { withJetStream } from './stream.ts';

const payloadBytes = 128;
const stream = 'bench-expiry';
const subject = 'bench.expiry.subject';
/** All messages are due so long after the first publish; the publishes take less. */
const lifetimeMs = 45_000;
const hourMs = 3_600_000;
const chunkMessages = 4000;
const pollMs = 20;
const ttlLabel = 'with a TTL, all due in one second';
const plainLabel = 'without';

async function open(server: ServerProcess): Promise<NatsSocket> {
  return NatsSocket.connect(server.port, (error) => {
    throw error;
  });
}

/**
 * Publishes so many messages, a few thousand at once: nats-server drops what comes faster than it stores.
 * With `dueMs`, each message has the TTL that is left until then.
 */
async function fill(
  server: ServerProcess,
  jetStream: JetStream,
  messages: number,
  dueMs: number | undefined,
): Promise<void> {
  const socket = await open(server);
  const payload = 'x'.repeat(payloadBytes);
  for (let sent = 0; sent < messages; sent += chunkMessages) {
    const ttl = dueMs === undefined ? '' : `Nats-TTL: ${Math.ceil((dueMs - performance.now()) / 1e3)}\r\n`;
    const header = `NATS/1.0\r\nBench: x\r\n${ttl}\r\n`;
    const sizes = `${header.length} ${header.length + payloadBytes}`;
    await socket.flush(`HPUB ${subject} ${sizes}\r\n${header}${payload}\r\n`.repeat(chunkMessages));
    while ((await jetStream.messagesIn(stream)) < sent + chunkMessages) await delay(1);
  }
  socket.end();
}

/** The longest time to the answer of a PING, over so many milliseconds or until `stop` is called. */
async function probe(server: ServerProcess): Promise<{ stop(): Promise<number> }> {
  const socket = await open(server);
  const end = new AbortController();
  let longestMs = 0;
  const running = (async () => {
    while (!end.signal.aborted) {
      const startMs = performance.now();
      await socket.flush();
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await delay(1);
    }
    socket.end();
  })();
  return {
    stop: async () => {
      end.abort();
      await running;
      return longestMs;
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<number> {
  while (!(await holds())) await delay(pollMs);
  return performance.now();
}

async function measureExpiry(server: ServerProcess, jetStream: JetStream, dueMs: number): Promise<Sample> {
  const stored = await jetStream.messagesIn(stream);
  await delay(Math.max(0, dueMs - 2000 - performance.now()));
  const pings = await probe(server);
  const beginMs = await until(async () => (await jetStream.messagesIn(stream)) < stored);
  const endMs = await until(async () => (await jetStream.messagesIn(stream)) === 0);
  return { expiryMs: endMs - beginMs, stallMs: await pings.stop() };
}

function measure(contender: Contender, bench: Workbench, hasTtl: boolean): Promise<Sample> {
  const messages = bench.settings.expiringMessages;
  return withFreshServer(contender, bench, (server) =>
    withJetStream(server, async (jetStream) => {
      await jetStream.createStream({ name: stream, subject, storage: 'file', hasTtls: true });
      await delay(restMs);
      const beforeMb = residentMb(server);
      const dueMs = performance.now() + lifetimeMs;
      await fill(server, jetStream, messages, hasTtl ? dueMs : undefined);
      await delay(restMs);
      const addedMb = residentMb(server) - beforeMb;
      return hasTtl ? { addedMb, ...(await measureExpiry(server, jetStream, dueMs)) } : { addedMb };
    }),
  );
}

/**
 * The heap and buffers that messages add, first without a TTL, in a broker in the process of the benchmark.
 */
function measureHeap(bench: Workbench): Promise<Sample> {
  return withBroker(bench, async (broker) => {
    const topic = await broker.createTopic({ name: stream });
    const record = recordOf({ value: Buffer.alloc(payloadBytes, 1) });
    const restedMb = async (): Promise<number> => {
      usedMb(); // the buffers that this collects are returned a little later
      await delay(restMs);
      return usedMb();
    };
    const publish = async (messages: number, ttlMs?: number): Promise<number> => {
      const beforeMb = await restedMb();
      const options = ttlMs === undefined ? undefined : { ttlMs };
      await publishAll(
        topic,
        messages,
        () => record,
        () => options,
      );
      return (await restedMb()) - beforeMb;
    };
    const messages = bench.settings.expiringMessages;
    await publish(messages); // fills the caches, whose memory is no message's
    return { withoutMb: await publish(messages), withMb: await publish(messages, hourMs) };
  });
}

export const expiryCase: Case = {
  id: 'expiry',
  title: 'Messages with a TTL that are due in one second',
  about: `Messages of ${payloadBytes} B in one stream. Added: resident memory ${restMs / 1e3} s after the last was stored. To expire: from the first that is gone until the last is, as STREAM.INFO says, asked every ${pollMs} ms. Longest PING: of one connection that sends one PING after the other meanwhile. Heap and buffers: of objects and array buffers, after a collection of garbage, once as many messages have filled the caches.`,
  rows: ({ expiringMessages }) => {
    const count = `${expiringMessages.toLocaleString('en')} messages`;
    return [
      {
        label: `${count} ${ttlLabel}`,
        contenders: both,
        metrics: [
          { key: 'addedMb', label: 'added', unit: 'MB' },
          { key: 'expiryMs', label: 'to expire', unit: 'ms' },
          { key: 'stallMs', label: 'longest PING', unit: 'ms' },
        ],
        roundsMax: 1,
        hasWarmUp: false,
        measure: (contender, bench) => measure(contender, bench, true),
      },
      {
        label: `${count} ${plainLabel}`,
        contenders: both,
        metrics: [{ key: 'addedMb', label: 'added', unit: 'MB' }],
        roundsMax: 1,
        hasWarmUp: false,
        measure: (contender, bench) => measure(contender, bench, false),
      },
      {
        label: `${count} in the process of the benchmark, heap and buffers`,
        contenders: ['pillarbox'],
        metrics: [
          { key: 'withMb', label: 'added with a TTL', unit: 'MB' },
          { key: 'withoutMb', label: 'added without', unit: 'MB' },
        ],
        roundsMax: 1,
        hasWarmUp: false,
        measure: (_, bench) => measureHeap(bench),
      },
    ];
  },
};
