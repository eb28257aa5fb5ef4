import { runLoad, type LoadJob, type LoadReport } from '../load/index.ts';
import { JetStream, type ServerProcess, type StreamOptions } from '../servers/index.ts';
import type { Workbench } from './case.ts';

/** Longer than any run; for runs that end by count. */
export const endlessSeconds = 600;
/** More messages than any run; for runs that end by time. */
export const endlessMessages: number = Number.MAX_SAFE_INTEGER;

/** Runs `work` with a control connection to a server. */
export async function withJetStream<T>(
  server: ServerProcess,
  work: (jetStream: JetStream) => Promise<T>,
): Promise<T> {
  const jetStream = await JetStream.connect(server.port);
  try {
    return await work(jetStream);
  } finally {
    jetStream.end();
  }
}

/** Runs `work` with streams that exist only during it, and waits for the disk afterwards. */
export async function withStreams<T>(
  { server, bench, streams }: { server: ServerProcess; bench: Workbench; streams: readonly StreamOptions[] },
  work: (jetStream: JetStream) => Promise<T>,
): Promise<T> {
  return withJetStream(server, async (jetStream) => {
    await Promise.all(streams.map((stream) => jetStream.createStream(stream)));
    bench.settleDisk();
    try {
      return await work(jetStream);
    } finally {
      await Promise.all(streams.map((stream) => jetStream.deleteStream(stream.name)));
      bench.settleDisk();
    }
  });
}

/** Publishes with acks, and checks afterwards that the streams hold all acked messages. */
export async function publish(
  job: Omit<LoadJob & { kind: 'stream-publisher' }, 'kind'>,
  { jetStream, streams, bench }: { jetStream: JetStream; streams: readonly string[]; bench: Workbench },
): Promise<LoadReport> {
  const before = await countMessages(jetStream, streams);
  const report = await runLoad({ kind: 'stream-publisher', ...job }, bench.scratch);
  const stored = (await countMessages(jetStream, streams)) - before;
  if (stored !== report.messages)
    throw new Error(`${report.messages} messages were acked, ${stored} are stored`);
  return report;
}

async function countMessages(jetStream: JetStream, streams: readonly string[]): Promise<number> {
  const counts = await Promise.all(streams.map((stream) => jetStream.messagesIn(stream)));
  return counts.reduce((sum, count) => sum + count, 0);
}

export function rateOf(report: LoadReport): number {
  return (report.messages * 1e3) / (report.endMs - report.startMs);
}
