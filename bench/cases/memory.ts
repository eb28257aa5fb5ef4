import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../load/index.ts';
import type { Contender, Environment, ServerProcess } from '../servers/index.ts';
import { both, withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { endlessMessages, endlessSeconds, publish, withJetStream } from './stream.ts';

const payloadBytes = 128;
const window = 4096;
const stream = 'bench-memory';
const subject = 'bench.memory.subject';
const liveSubject = 'live.memory.subject';
/** Time for the server to settle before memory is read. */
export const restMs = 2000;
const megabyte = 1e6;

/** Runs `work` on a server of its own with an empty data directory. */
export async function withFreshServer(
  contender: Contender,
  bench: Workbench,
  work: (server: ServerProcess) => Promise<Sample>,
  environment: Environment = {},
): Promise<Sample> {
  const directory = bench.scratch.makeDirectory();
  const server = await contender.start(directory, bench.scratch, environment);
  try {
    return await work(server);
  } finally {
    await server.stop();
    bench.scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

export function residentMb(server: ServerProcess): number {
  return server.memory.residentBytes / megabyte;
}

function measureLoaded(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  return withFreshServer(contender, bench, async (server) => {
    await delay(restMs);
    const idleMb = residentMb(server);
    await runLive(server, bench, seconds);
    await withJetStream(server, async (jetStream) => {
      await jetStream.createStream({ name: stream, subject, storage: 'file' });
      await publish(
        { port: server.port, subjects: [subject], payloadBytes, window, seconds, messages: endlessMessages },
        { jetStream, streams: [stream], bench },
      );
    });
    const loadedMb = residentMb(server);
    return { idleMb, loadedMb, peakMb: server.memory.peakBytes / megabyte };
  });
}

async function runLive(server: ServerProcess, { scratch }: Workbench, seconds: number): Promise<void> {
  const { port } = server;
  const subscriber = Load.start({ kind: 'subscriber', port, subject: liveSubject, connections: 1 }, scratch);
  await Promise.allSettled([subscriber]);
  const publisher = Load.start(
    { kind: 'publisher', port, subject: liveSubject, payloadBytes, seconds },
    scratch,
  );
  await withLoads([publisher, subscriber], async ([writer, reader]) => {
    reader?.go();
    writer?.go();
    const written = await writer?.report();
    reader?.finish(written?.messages ?? 0);
    await reader?.report();
  });
}

function measureBacklog(contender: Contender, bench: Workbench): Promise<Sample> {
  return withFreshServer(contender, bench, (server) =>
    withJetStream(server, async (jetStream) => {
      await jetStream.createStream({ name: stream, subject, storage: 'file' });
      await jetStream.createConsumer(stream, 'bench', 1000);
      await delay(restMs);
      const beforeMb = residentMb(server);
      const messages = bench.settings.backlogMessages;
      await publish(
        { port: server.port, subjects: [subject], payloadBytes, window, seconds: endlessSeconds, messages },
        { jetStream, streams: [stream], bench },
      );
      const peakMb = server.memory.peakBytes / megabyte;
      await delay(restMs);
      const { numPending } = await jetStream.consumerState(stream, 'bench');
      if (numPending !== messages) throw new Error(`${numPending} of ${messages} messages are pending`);
      const afterMb = residentMb(server);
      return { beforeMb, afterMb, addedMb: afterMb - beforeMb, peakMb };
    }),
  );
}

export const memoryCase: Case = {
  id: 'memory',
  title: 'Memory, idle and under load',
  about: `Resident memory of the server process: ${restMs / 1e3} s after it became ready, and right after core 1→1 and then a file publish with window ${window}, both ${payloadBytes} B.`,
  rows: () => [
    {
      label: 'resident',
      contenders: both,
      metrics: [
        { key: 'idleMb', label: 'idle', unit: 'MB', goals: [{ kind: 'most', value: 80 }] },
        { key: 'loadedMb', label: 'after load', unit: 'MB' },
        { key: 'peakMb', label: 'peak', unit: 'MB' },
      ],
      roundsMax: 3,
      hasWarmUp: false,
      measure: measureLoaded,
    },
  ],
};

export const backlogCase: Case = {
  id: 'backlog',
  title: 'Memory with a backlog',
  about: `Resident memory before and ${restMs / 1e3} s after so many messages of ${payloadBytes} B were published to a stream whose only consumer has read none.`,
  rows: (settings) => [
    {
      label: `${settings.backlogMessages.toLocaleString('en')} messages`,
      contenders: both,
      metrics: [
        { key: 'beforeMb', label: 'before', unit: 'MB' },
        { key: 'afterMb', label: 'after', unit: 'MB' },
        { key: 'addedMb', label: 'added', unit: 'MB', goals: [{ kind: 'most', value: 200 }] },
        { key: 'peakMb', label: 'peak while publishing', unit: 'MB' },
      ],
      roundsMax: 1,
      hasWarmUp: false,
      measure: measureBacklog,
    },
  ],
};
