import { spreadOf } from '../statistics.ts';
import type { Contender } from '../servers/index.ts';
import { both, withCores, type Case, type RowResult, type Sample, type Workbench } from './case.ts';
import { endlessMessages, publish, rateOf, withStreams } from './stream.ts';

const payloadBytes = 128;
const window = 4096;
const rateKept = 0.5;

async function measure(
  contender: Contender,
  bench: Workbench,
  topics: number,
  seconds: number,
): Promise<Sample> {
  const server = await bench.server(contender);
  // Names of one length, so that acks have one size, except around a power of ten.
  const numbers = Array.from({ length: topics }, (_, index) => String(index).padStart(5, '0'));
  const streams = numbers.map((number) => ({
    name: `bench-${number}`,
    subject: `bench.topic.${number}`,
    storage: 'file' as const,
  }));
  return withStreams({ server, bench, streams }, (jetStream) =>
    withCores(server, async () => {
      const subjects = streams.map((stream) => stream.subject);
      const report = await publish(
        { port: server.port, subjects, payloadBytes, window, seconds, messages: endlessMessages },
        { jetStream, streams: streams.map((stream) => stream.name), bench },
      );
      return { sample: { rate: rateOf(report) }, reports: [report] };
    }),
  );
}

export const manyTopicsCase: Case = {
  id: 'many-topics',
  title: 'JetStream: many topics at once',
  about: `One publisher writes ${payloadBytes} B messages to so many streams in turn, ${window} unacked at most, file storage.`,
  rows: (settings) =>
    settings.topics.map((topics) => ({
      label: topics === 1 ? '1 topic' : `${topics} topics`,
      contenders: both,
      metrics: [{ key: 'rate', unit: 'msg/s' }],
      hasWarmUp: true,
      measure: (contender, bench, seconds) => measure(contender, bench, topics, seconds),
    })),
  remarks: (rows) => both.flatMap((name) => remark(name, rows)),
};

/** The share of the first row's rate that the last row keeps. */
function remark(name: (typeof both)[number], rows: readonly RowResult[]): string[] {
  const [one, many] = [rows[0], rows.at(-1)].map(
    (row) => spreadOf(row?.samples[name]?.map((sample) => sample['rate'] ?? Number.NaN) ?? []).median,
  );
  const kept = (many ?? Number.NaN) / (one ?? Number.NaN);
  if (rows.length < 2 || !Number.isFinite(kept)) return [];
  const goal = name === 'pillarbox' ? ` (goal: at least ${rateKept * 100} %)` : '';
  return [
    `${name} keeps ${(kept * 100).toFixed(0)} % of its rate from ${rows[0]?.label} to ${rows.at(-1)?.label}${goal}.`,
  ];
}
