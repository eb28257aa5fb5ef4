import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '../../src/client/index.ts';
import { open } from '../../src/embedded/index.ts';
import type { Contender } from '../servers/index.ts';
import type { Case, Sample, Workbench } from './case.ts';

/** Publishes that wait for their answers at once. */
const window = 4_096;
const concurrency = 64;
/** Messages that a consumer over the network has at most, handled and fetched ahead. */
const heldMax = 512;
const value: { readonly text: string } = { text: 'x'.repeat(100) };

/** A program's way to a topic and its group. */
interface Way extends AsyncDisposable {
  publish(): Promise<unknown>;
  /** Calls back for each message, which is acked then. */
  consume(handled: () => void): void;
}

type OpenWay = (directory: string, address: () => Promise<string>, name: string) => Promise<Way>;

const embedded: OpenWay = async (directory) => {
  const box = await open({ dir: join(directory, 'box') });
  const topic = await box.topic('bench');
  const group = await topic.group('g');
  return {
    publish: () => topic.publish(value),
    consume: (handled) => group.consume(handled, { concurrency }),
    [Symbol.asyncDispose]: () => box.close(),
  };
};

const client =
  (urlOf: (directory: string, address: () => Promise<string>) => string | Promise<string>): OpenWay =>
  async (directory, address, name) => {
    const connected = await connect(await urlOf(directory, address));
    const topic = await connected.topic(name);
    const group = await topic.group('g');
    return {
      publish: () => topic.publish(value),
      consume: (handled) => group.consume(handled, { concurrency, prefetch: heldMax - concurrency }),
      [Symbol.asyncDispose]: () => connected.close(),
    };
  };

const bare: OpenWay = async (_, address, name) => {
  const connection = await connectNats({ servers: await address() });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name, subjects: [name] });
  await manager.consumers.add(name, { durable_name: 'g', ack_policy: 'explicit', max_ack_pending: -1 });
  const js = jetstream(connection);
  const data = JSON.stringify(value);
  const consumer = await js.consumers.get(name, 'g');
  return {
    publish: () => js.publish(name, data),
    consume: (handled) =>
      void consumer.consume({
        max_messages: heldMax,
        callback: (message) => {
          message.ack();
          handled();
        },
      }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
};

async function measure(
  openWay: OpenWay,
  contender: Contender,
  bench: Workbench,
  seconds: number,
): Promise<Sample> {
  const directory = bench.scratch.makeDirectory();
  const address = async (): Promise<string> => `127.0.0.1:${(await bench.server(contender)).port}`;
  try {
    await using way = await openWay(directory, address, `bench-${performance.now().toFixed(0)}`);
    const startMs = performance.now();
    const endMs = startMs + seconds * 1e3;
    let published = 0;
    const publisher = async (): Promise<void> => {
      for (; performance.now() < endMs; published++) await way.publish();
    };
    await Promise.all(Array.from({ length: window }, publisher));
    const publishedMs = performance.now() - startMs;
    const consumedMs = await new Promise<number>((resolve) => {
      const startMs = performance.now();
      let seen = 0;
      way.consume(() => {
        if (++seen === published) resolve(performance.now() - startMs);
      });
    });
    return { publishedPerSecond: (published / publishedMs) * 1e3, perSecond: (published / consumedMs) * 1e3 };
  } finally {
    bench.scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

const ways: { readonly [label: string]: OpenWay } = {
  'the embedded API, in a directory': embedded,
  'the client, file:': client((directory) => `file:${join(directory, 'file')}`),
  'the client, pillarbox://': client(async (_, address) => `pillarbox://${await address()}`),
  '@nats-io/jetstream, the same server': bare,
};

export const clientCase: Case = {
  id: 'client',
  title: 'The client beside the embedded API and a bare client',
  about: `Messages of some 110 B of JSON in a topic with one group, by one process: first published, ${window.toLocaleString('en')} at a time, then handled and acked, ${concurrency} at a time.`,
  rows: () =>
    Object.entries(ways).map(([label, openWay]) => ({
      label,
      contenders: ['pillarbox' as const],
      metrics: [
        { key: 'publishedPerSecond', label: 'published', unit: 'msg/s' as const },
        { key: 'perSecond', label: 'handled and acked', unit: 'msg/s' as const },
      ],
      hasWarmUp: true,
      measure: (contender: Contender, bench: Workbench, seconds: number) =>
        measure(openWay, contender, bench, seconds),
    })),
};
