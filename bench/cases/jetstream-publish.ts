import type { Contender } from '../servers/index.ts';
import { both, everyone, withCores, type Case, type Goal, type Sample, type Workbench } from './case.ts';
import { endlessMessages, publish, rateOf, withStreams } from './stream.ts';

const payloadBytes = 128;
const name = 'bench-publish';
const subject = 'bench.publish.subject';

async function measure(
  contender: Contender,
  bench: Workbench,
  run: { readonly window: number; readonly storage: 'file' | 'memory'; readonly seconds: number },
): Promise<Sample> {
  const { window, storage, seconds } = run;
  const server = await bench.server(contender);
  return withStreams({ server, bench, streams: [{ name, subject, storage }] }, (jetStream) =>
    withCores(server, async () => {
      const report = await publish(
        { port: server.port, subjects: [subject], payloadBytes, window, seconds, messages: endlessMessages },
        { jetStream, streams: [name], bench },
      );
      return { sample: { rate: rateOf(report) }, reports: [report] };
    }),
  );
}

const goals: readonly Goal[] = [
  { kind: 'ratio', against: 'nats-server', least: 2 },
  { kind: 'ratio', against: 'nats-server, synced', least: 50 },
];

export const jetStreamPublishCase: Case = {
  id: 'jetstream-publish',
  title: 'JetStream: publish with acks, file storage',
  about: `Messages of ${payloadBytes} B acked per second to one publisher with so many unacked at most. Pillarbox syncs before each ack; nats-server does so only with \`sync_interval: always\`.`,
  rows: (settings) =>
    settings.windows.map((window) => ({
      label: `window ${window}`,
      contenders: everyone,
      metrics: [{ key: 'rate', unit: 'msg/s', ...(window === 4096 ? { goals } : {}) }],
      hasWarmUp: true,
      measure: (contender, bench, seconds) => measure(contender, bench, { window, storage: 'file', seconds }),
    })),
};

export const jetStreamPublishMemoryCase: Case = {
  id: 'jetstream-publish-memory',
  title: 'JetStream: publish with acks, memory storage',
  about: `The same to a stream that is kept in memory only, ${payloadBytes} B.`,
  rows: (settings) =>
    settings.windows
      .filter((window) => window === 4096)
      .map((window) => ({
        label: `window ${window}`,
        contenders: both,
        metrics: [{ key: 'rate', unit: 'msg/s' }],
        hasWarmUp: true,
        measure: (contender, bench, seconds) =>
          measure(contender, bench, { window, storage: 'memory', seconds }),
      })),
};
