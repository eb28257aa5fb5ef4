import { runLoad } from '../load/index.ts';
import type { Contender, ServerProcess } from '../servers/index.ts';
import { both, type Case, type Row, type Sample, type Workbench } from './case.ts';
import { endlessSeconds, publish, withJetStream } from './stream.ts';

const payloadBytes = 128;
const journalPayloads = [128, 1024];
const window = 4096;
const stream = 'bench-recovery';
const subject = 'bench.recovery.subject';
const mib = 1024 * 1024;
const gib = 1024 * mib;

/**
 * Publishes, kills the server at the last ack, and starts it again; then stops it normally and starts it once
 * more.
 */
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

/** A journal of a whole GiB without a checkpoint. The broker opens in a process that does nothing else. */
async function measureJournal(bench: Workbench, journalPayloadBytes: number): Promise<Sample> {
  const { scratch } = bench;
  const directory = scratch.makeDirectory();
  try {
    const filled = await runLoad(
      { kind: 'journal-filler', directory, payloadBytes: journalPayloadBytes, journalBytes: gib },
      scratch,
    );
    bench.settleDisk();
    const crashed = await runLoad({ kind: 'broker-opener', directory }, scratch);
    const stopped = await runLoad({ kind: 'broker-opener', directory }, scratch);
    const crashMs = crashed.endMs - crashed.startMs;
    return {
      perGib: crashMs / 1e3,
      perMillion: crashMs / (crashed.messages / 1e6),
      lost: filled.messages - stopped.messages,
      cleanMs: stopped.endMs - stopped.startMs,
    };
  } finally {
    scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

function journalRow(journalPayloadBytes: number): Row {
  return {
    label: `1 GiB of journal, ${journalPayloadBytes} B messages`,
    contenders: ['pillarbox'],
    metrics: [
      { key: 'perGib', label: 'opened after kill -9', unit: 's/GiB', goals: [{ kind: 'most', value: 1 }] },
      { key: 'perMillion', label: 'the same, per million messages', unit: 'ms' },
      { key: 'lost', label: 'acked but lost', unit: 'messages', goals: [{ kind: 'most', value: 0 }] },
      {
        key: 'cleanMs',
        label: 'opened after a clean stop',
        unit: 'ms',
        goals: [{ kind: 'most', value: 200 }],
      },
    ],
    roundsMax: 3,
    hasWarmUp: false,
    measure: (_, bench) => measureJournal(bench, journalPayloadBytes),
  };
}

export const recoveryCase: Case = {
  id: 'recovery',
  title: 'Recovery',
  about: `From the start of the process until it answers its first PING, on a data directory that a killed process left (SIGKILL right after the last of the ${payloadBytes} B messages was acked) and on one that was stopped properly. Per GiB: what exceeds a start on an empty directory, by the bytes of the journal (pillarbox) or of all data (nats-server). The rows with 1 GiB of journal: a broker with checkpoints put off, killed, and opened in a process by itself.`,
  rows: (settings) => [
    {
      label: `${(settings.recoveryBytes / mib).toFixed(0)} MiB of payload`,
      contenders: both,
      metrics: [
        { key: 'crashMs', label: 'ready after kill -9', unit: 'ms' },
        { key: 'recoverableMib', label: 'to recover', unit: 'MiB' },
        { key: 'perGib', label: 'recovery', unit: 's/GiB' },
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
    ...journalPayloads.map((bytes) => journalRow(bytes)),
  ],
};
