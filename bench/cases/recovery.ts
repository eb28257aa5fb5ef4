import type { Contender, ServerProcess } from '../servers/index.ts';
import { both, type Case, type Sample, type Workbench } from './case.ts';
import { endlessSeconds, publish, withJetStream } from './stream.ts';

const payloadBytes = 128;
const window = 4096;
const stream = 'bench-recovery';
const subject = 'bench.recovery.subject';
const mib = 1024 * 1024;
const gib = 1024 * mib;

/** Publishes, kills the server at the last ack, starts it again; then stops it properly and starts it once more. */
async function measure(contender: Contender, bench: Workbench): Promise<Sample> {
  const { scratch, settings } = bench;
  const directory = scratch.makeDirectory();
  let server = await contender.start(directory, scratch);
  try {
    const emptyMs = server.readyMs;
    const messages = Math.ceil(settings.recoveryBytes / payloadBytes);
    await fill(server, bench, messages);
    await server.kill();
    const bytes = contender.recoverableBytes(directory);
    server = await contender.start(directory, scratch);
    const crashMs = server.readyMs;
    const lost = messages - (await withJetStream(server, (jetStream) => jetStream.messagesIn(stream)));
    await server.stop();
    server = await contender.start(directory, scratch);
    const cleanMs = server.readyMs;
    await server.stop();
    const perGib = Math.max(0, crashMs - emptyMs) / 1e3 / (bytes / gib);
    return { crashMs, recoverableMib: bytes / mib, perGib, lost, cleanMs };
  } finally {
    await server.kill();
    scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

function fill(server: ServerProcess, bench: Workbench, messages: number): Promise<void> {
  return withJetStream(server, async (jetStream) => {
    await jetStream.createStream({ name: stream, subject, storage: 'file' });
    await publish(
      { port: server.port, subjects: [subject], payloadBytes, window, seconds: endlessSeconds, messages },
      { jetStream, streams: [stream], bench },
    );
  });
}

export const recoveryCase: Case = {
  id: 'recovery',
  title: 'Recovery',
  about: `From the start of the process until it answers its first PING, on a data directory that a killed process left (SIGKILL right after the last of the ${payloadBytes} B messages was acked) and on one that was stopped properly. Per GiB: what exceeds a start on an empty directory, by the bytes of the journal (pillarbox) or of all data (nats-server).`,
  rows: (settings) => [
    {
      label: `${(settings.recoveryBytes / mib).toFixed(0)} MiB of payload`,
      contenders: both,
      metrics: [
        { key: 'crashMs', label: 'ready after kill -9', unit: 'ms' },
        { key: 'recoverableMib', label: 'to recover', unit: 'MiB' },
        { key: 'perGib', label: 'recovery', unit: 's/GiB', goals: [{ kind: 'most', value: 1 }] },
        { key: 'lost', label: 'acked but lost', unit: 'messages', goals: [{ kind: 'most', value: 0 }] },
        {
          key: 'cleanMs',
          label: 'ready after a clean stop',
          unit: 'ms',
          goals: [{ kind: 'most', value: 200 }],
        },
      ],
      roundsMax: 3,
      hasWarmUp: false,
      measure,
    },
  ],
};
