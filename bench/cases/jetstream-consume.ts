import { setTimeout as delay } from 'node:timers/promises';
import { nowMs, runLoad } from '../load/index.ts';
import type { Contender, JetStream, ServerProcess } from '../servers/index.ts';
import { both, withCores, type Case, type Sample, type Workbench } from './case.ts';
import { endlessSeconds, publish, rateOf, withJetStream } from './stream.ts';

const payloadBytes = 128;
const batch = 1000;
const ackPendingMax = 10_000;
const stream = 'bench-consume';
const subject = 'bench.consume.subject';
const settleMsMax = 15_000;

const filled = new WeakSet<ServerProcess>();

/** The stream is filled once; every measurement then reads it from the start with a consumer of its own. */
async function fill(server: ServerProcess, jetStream: JetStream, bench: Workbench): Promise<void> {
  if (filled.has(server)) return;
  await jetStream.createStream({ name: stream, subject, storage: 'file' });
  const messages = bench.settings.consumeMessages;
  await publish(
    { port: server.port, subjects: [subject], payloadBytes, window: 4096, seconds: endlessSeconds, messages },
    { jetStream, streams: [stream], bench },
  );
  filled.add(server);
}

/** Checks that all acks took effect: no message is pending, and none was delivered again. */
async function requireAllAcked(jetStream: JetStream, consumer: string): Promise<void> {
  const deadlineMs = nowMs() + settleMsMax;
  for (;;) {
    const state = await jetStream.consumerState(stream, consumer);
    if (state.numRedelivered > 0) throw new Error(`${state.numRedelivered} messages were redelivered`);
    if (state.numAckPending === 0) return;
    if (nowMs() > deadlineMs) throw new Error(`${state.numAckPending} acks did not count`);
    await delay(20);
  }
}

async function measure(
  contender: Contender,
  bench: Workbench,
  connections: number,
  seconds: number,
): Promise<Sample> {
  const server = await bench.server(contender);
  return withJetStream(server, async (jetStream) => {
    await fill(server, jetStream, bench);
    bench.settleDisk();
    const consumer = `bench-${connections}`;
    await jetStream.createConsumer(stream, consumer, ackPendingMax);
    const messages = bench.settings.consumeMessages;
    const load = { stream, consumer, connections, batch, seconds, messages };
    try {
      const sample = await withCores(server, async () => {
        const report = await runLoad({ kind: 'stream-consumer', port: server.port, ...load }, bench.scratch);
        return { sample: { rate: rateOf(report) }, reports: [report] };
      });
      await requireAllAcked(jetStream, consumer);
      return sample;
    } finally {
      await jetStream.deleteConsumer(stream, consumer);
    }
  });
}

export const jetStreamConsumeCase: Case = {
  id: 'jetstream-consume',
  title: 'JetStream: consume with explicit acks',
  about: `Messages of ${payloadBytes} B received and acked per second from a filled stream on disk: one durable pull consumer with max_ack_pending ${ackPendingMax}, two requests of ${batch} under way per connection, acks without answer.`,
  rows: (settings) =>
    settings.consumers.map((connections) => ({
      label: connections === 1 ? '1 consumer' : `${connections} consumers`,
      contenders: both,
      metrics: [
        { key: 'rate', unit: 'msg/s', goals: [{ kind: 'ratio', against: 'nats-server', least: 1.5 }] },
      ],
      hasWarmUp: true,
      measure: (contender, bench, seconds) => measure(contender, bench, connections, seconds),
    })),
};
