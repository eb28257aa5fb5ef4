import { runLoad } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { withCores, type Case, type Sample, type Workbench } from './case.ts';
import { endlessMessages, publish, withStreams } from './stream.ts';

const payloadBytes = 128;
/** A message of 128 B with the overhead of the journal, rounded. */
const recordBytes = 256;
const name = 'bench-sync';
const subject = 'bench.sync.subject';

/** Runs the bare loops and the server in one turn, so that they meet the same state of the disk. */
async function measure(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  const server = await bench.server(contender);
  const { port } = server;
  const directory = bench.scratch.makeDirectory();
  try {
    bench.settleDisk();
    const overwriteUs = await measureLoop(bench, directory, 'overwrite', seconds);
    const appendUs = await measureLoop(bench, directory, 'append', seconds);
    return await withStreams({ server, bench, streams: [{ name, subject, storage: 'file' }] }, (jetStream) =>
      withCores(server, async () => {
        const report = await publish(
          { port, subjects: [subject], payloadBytes, window: 1, seconds, messages: endlessMessages },
          { jetStream, streams: [name], bench },
        );
        const ackUs = meanUs(report);
        return {
          sample: {
            ackUs,
            ackP50Us: report.latency?.p50Us ?? Number.NaN,
            ackP99Us: report.latency?.p99Us ?? Number.NaN,
            overwriteUs,
            appendUs,
            toOverwrite: ackUs / overwriteUs,
            toAppend: ackUs / appendUs,
          },
          reports: [report],
        };
      }),
    );
  } finally {
    bench.scratch.removeDirectory(directory);
  }
}

/** The same without a socket: the broker runs in the publisher's process, as the loops do. */
async function measureEmbedded(_: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  const directory = bench.scratch.makeDirectory();
  try {
    bench.settleDisk();
    const overwriteUs = await measureLoop(bench, directory, 'overwrite', seconds);
    const job = { kind: 'embedded-publisher', directory, payloadBytes, seconds } as const;
    const report = await runLoad(job, bench.scratch);
    const appendUs = await measureLoop(bench, directory, 'append', seconds);
    const ackUs = meanUs(report);
    return {
      ackUs,
      ackP50Us: report.latency?.p50Us ?? Number.NaN,
      overwriteUs,
      appendUs,
      toOverwrite: ackUs / overwriteUs,
      toAppend: ackUs / appendUs,
    };
  } finally {
    bench.scratch.removeDirectory(directory);
  }
}

async function measureLoop(
  bench: Workbench,
  directory: string,
  place: 'append' | 'overwrite',
  seconds: number,
): Promise<number> {
  const report = await runLoad({ kind: 'sync-loop', directory, recordBytes, place, seconds }, bench.scratch);
  return meanUs(report);
}

function meanUs(report: { messages: number; startMs: number; endMs: number }): number {
  return ((report.endMs - report.startMs) * 1e3) / report.messages;
}

export const syncLatencyCase: Case = {
  id: 'sync-latency',
  title: 'One waiting publisher, next to the bare disk',
  about: `Time per message with one message of ${payloadBytes} B unacked at most, next to a loop in Node that does nothing but fs.write and fs.fdatasync of ${recordBytes} B, over the blocks of an existing file and at the end of a growing one. Embedded: the broker is in the process that publishes.`,
  rows: () => [
    {
      label: 'window 1',
      contenders: ['pillarbox', 'nats-server, synced'],
      metrics: [
        { key: 'ackUs', label: 'publish to ack, mean', unit: 'µs' },
        { key: 'ackP50Us', label: 'publish to ack, median', unit: 'µs' },
        { key: 'ackP99Us', label: 'publish to ack, 99th percentile', unit: 'µs' },
        { key: 'overwriteUs', label: 'bare loop, overwriting, mean', unit: 'µs' },
        { key: 'appendUs', label: 'bare loop, appending, mean', unit: 'µs' },
        { key: 'toOverwrite', label: 'publish ÷ overwriting loop', unit: '×' },
        { key: 'toAppend', label: 'publish ÷ appending loop', unit: '×' },
      ],
      hasWarmUp: true,
      measure,
    },
    {
      label: 'embedded, window 1',
      contenders: ['pillarbox'],
      metrics: [
        { key: 'ackUs', label: 'publish to ack, mean', unit: 'µs' },
        { key: 'ackP50Us', label: 'publish to ack, median', unit: 'µs' },
        { key: 'overwriteUs', label: 'bare loop, overwriting, mean', unit: 'µs' },
        { key: 'appendUs', label: 'bare loop, appending, mean', unit: 'µs' },
        {
          key: 'toOverwrite',
          label: 'publish ÷ overwriting loop',
          unit: '×',
          goals: [{ kind: 'most', value: 1.3 }],
        },
        { key: 'toAppend', label: 'publish ÷ appending loop', unit: '×' },
      ],
      hasWarmUp: true,
      measure: measureEmbedded,
    },
  ],
};
