import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../../src/util/index.ts';
import { type BlockEvent, DiskImage, type Fate } from './block-log.ts';
import { BrokerProcess } from './broker-process.ts';
import { BrokerReader } from './broker-reader.ts';
import { checkPending, checkReading } from './checker.ts';
import {
  addCounts,
  type ClientQueue,
  countsOfQueues,
  type CountsByProtocol,
  noCounts,
} from './client-queue.ts';
import { complaintsOf } from './complaints.ts';
import { type Event, EventReader } from './event-log.ts';
import { History, type Violation } from './history.ts';
import { payloadOf } from './payload.ts';
import { RecordedDisk } from './recorded-disk.ts';
import { run } from './tools.ts';
import { Workload, type WorkloadStream } from './workload.ts';

export interface PowerLossOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly kind: 'serve' | 'small';
  /** How long the load is recorded. */
  readonly seconds: number;
  readonly directory: string;
  /** The disk loses this many of the last events that it reported as flushed, to test the checker. */
  readonly lieEvents?: number;
  readonly onProgress?: (line: string) => void;
}

export interface PowerLossResult {
  readonly cycles: number;
  readonly writes: number;
  readonly flushes: number;
  readonly fates: Readonly<Record<Fate, number>>;
  /** Acked publishes and confirmed acks that were held against an image, over all cycles. */
  readonly storedChecked: number;
  readonly ackedChecked: number;
  /** Those of AMQP and SQS clients among them. */
  readonly queuesChecked: CountsByProtocol;
  readonly violations: readonly Violation[];
  readonly complaints: readonly string[];
  readonly seconds: number;
}

const mib = 2 ** 20;
const diskBytes = { small: 64 * mib, serve: 128 * mib } as const;
const repeatMax = 20;

/** A recording: the disk, and the clients' logs. */
interface Recording {
  readonly base: Buffer;
  readonly blocks: readonly BlockEvent[];
  readonly clients: readonly { readonly name: string; readonly events: readonly Event[] }[];
  readonly streams: readonly WorkloadStream[];
  /** The queues of AMQP and SQS clients. */
  readonly queues: readonly ClientQueue[];
}

/**
 * Records the requests of a broker under load to its disk, then cuts the power again and again. For each
 * moment an image is made of a possible content of the disk. A broker starts on the mounted image, and must
 * know everything that the clients had been told by then.
 */
export async function runPowerLosses(options: PowerLossOptions): Promise<PowerLossResult> {
  const { cycles, seed, kind, lieEvents = 0, onProgress } = options;
  const begin = performance.now();
  const recording = await record(options);
  const random = new SeededRandom(seed);
  const { blocks } = recording;
  const flushes = blocks.flatMap((event, index) => (event.kind === 'flush' ? [index] : []));
  onProgress?.(`recorded ${blocks.length - flushes.length} writes and ${flushes.length} flushes`);
  const disk = new DiskImage(recording.base, blocks);
  const fates: Record<Fate, number> = { 'all kept': 0, 'all lost': 0, any: 0, torn: 0 };
  const violations: Violation[] = [];
  const complaints: string[] = [];
  let storedChecked = 0;
  let ackedChecked = 0;
  let queuesChecked = noCounts;
  let done = 0;
  let cut = 0;
  // In memory where there is such a place: the images are written whole.
  const place = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pillarbox-power-'));
  try {
    for (; done < cycles && violations.length === 0; done++) {
      // At a flush, or a few writes after it. The first flushes are the mount's.
      const flush = flushes[Math.floor(((done + random.next()) / cycles) * flushes.length)] ?? 0;
      const next = flush + (random.next() < 0.3 ? 0 : random.int(12));
      cut = Math.min(Math.max(cut, next), blocks.length - 1); // the disk does not go back
      disk.advance(cut - lieEvents);
      const dice = random.next();
      const fate: Fate = dice < 0.1 ? 'all kept' : dice < 0.3 ? 'all lost' : dice < 0.65 ? 'any' : 'torn';
      fates[fate]++;
      await writeFile(join(place, 'image'), disk.afterPowerLoss(fate, random));
      const history = historyUntil(recording, blocks[cut]!.ns);
      storedChecked += history.counts.stored;
      ackedChecked += history.counts.acked;
      queuesChecked = addCounts(queuesChecked, countsOfQueues(history, recording.queues));
      const found = await checkImage(place, kind, recording, history, random.next() < 0.2);
      for (const { rule, text } of history.violations)
        violations.push({ rule, text: `cut after block event ${cut}, ${fate}: ${text}` });
      complaints.push(...found);
      if ((done + 1) % 20 === 0) onProgress?.(`${done + 1} power losses, ${violations.length} violations`);
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  const seconds = (performance.now() - begin) / 1000;
  const counts = { writes: blocks.length - flushes.length, flushes: flushes.length };
  return {
    cycles: done,
    ...counts,
    fates,
    storedChecked,
    ackedChecked,
    queuesChecked,
    violations,
    complaints,
    seconds,
  };
}

/**
 * Runs brokers and clients on a recorded disk; some of the brokers are killed, so that recoveries are
 * recorded too.
 */
async function record({ kind, seconds, directory, seed }: PowerLossOptions): Promise<Recording> {
  const random = new SeededRandom(seed + 1);
  const disk = await RecordedDisk.mount(directory, diskBytes[kind]);
  const load = new Workload({ name: '1', directory, rate: 300, history: new History(), hasQueues: true });
  let broker: BrokerProcess | undefined;
  try {
    const dataDirectory = join(disk.path, 'data');
    await mkdir(dataDirectory);
    const args = ['--disk-free-min', '0', '--log-level', 'warn'];
    broker = new BrokerProcess({ kind, dataDirectory, workDirectory: directory, args });
    await broker.start();
    await load.start(broker);
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await sleep(Math.min(500 + random.int(4000), end - performance.now()));
      if (random.next() < 0.3) await broker.stop();
      else await broker.kill();
      const loaded = load.loaded(broker);
      loaded.catch(() => {}); // heard of below
      await broker.start();
      await loaded;
    }
    await sleep(200);
    await broker.kill();
    await Promise.all(load.clients.map((client) => client.kill()));
    const clients = load.clients.map(({ name, logPath, kind: client }) => {
      const reader = new EventReader(logPath);
      const events = reader.read();
      reader.close();
      return { name, events, client };
    });
    // Publishers first: deliveries follow publishes.
    clients.sort((a, b) => (a.client > b.client ? -1 : 1));
    const { streams, queues } = load;
    return { base: disk.base, blocks: disk.events(), clients, streams, queues };
  } finally {
    await load.end();
    await broker?.kill();
    await disk[Symbol.asyncDispose]();
  }
}

/** The clients' knowledge at that time. */
function historyUntil({ clients }: Recording, ns: number): History {
  const history = new History();
  for (const { name, events } of clients)
    history.add(
      name,
      events.filter((event) => event.ns <= ns),
    );
  return history;
}

/** Mounts the image, starts a broker on it, and compares its data with the history. */
async function checkImage(
  place: string,
  kind: 'serve' | 'small',
  { streams, queues }: Recording,
  history: History,
  twice: boolean,
): Promise<string[]> {
  const path = join(place, 'mounted');
  await mkdir(path, { recursive: true });
  run('mount', '-o', 'loop', join(place, 'image'), path);
  const args = ['--disk-free-min', '0', '--log-level', 'warn'];
  const dataDirectory = join(path, 'data');
  const broker = new BrokerProcess({ kind, dataDirectory, workDirectory: place, args });
  try {
    await mkdir(dataDirectory, { recursive: true });
    await broker.start();
    if (twice) {
      // Once more: the result of the first recovery must be stable.
      await broker.kill();
      await broker.start();
    }
    await using reader = await BrokerReader.open(broker.port);
    const present = new Set(await reader.streams());
    for (const { name, kept } of streams) {
      const { lastSequence } = history.stream(name);
      if (!present.has(name)) {
        if (lastSequence > 0) history.report('nothing acked is missing', `the stream ${name} is gone`);
        continue;
      }
      const reading = await reader.read(name, 1);
      checkReading(history, reading, kept, lastSequence);
      const stored = reading.messages.map(({ seq }) => seq);
      if (await reader.hasGroup(name)) checkPending(history, name, stored, await reader.takePending(name));
      else if (history.counts.delivered > 0)
        history.report('everything is delivered', `the group of ${name} is gone`);
      await publishAgain(reader, history, name);
    }
    for (const queue of queues) {
      if (present.has(queue.streamName)) await queue.checkAfter(history, broker, reader);
      else if (history.stream(queue.name).lastSequence > 0)
        history.report('nothing acked is missing', `the queue ${queue.name} is gone`);
    }
    await reader[Symbol.asyncDispose]();
    await broker.stop();
    return complaintsOf(broker);
  } catch (error) {
    history.report(
      'nothing acked is missing',
      `the broker did not serve: ${String(error)}\n${broker.output}`,
    );
    return complaintsOf(broker);
  } finally {
    await broker.kill();
    run('umount', path);
  }
}

/** The newest acked messages once more: the broker must know them by their ids. */
async function publishAgain(reader: BrokerReader, history: History, name: string): Promise<void> {
  const stored = [...history.stream(name).messages].filter(([, { storedAt }]) => storedAt !== undefined);
  for (const [id, { subject, storedAt }] of stored.slice(-repeatMax)) {
    const { seq, duplicate } = await reader.publishAgain(subject, id, payloadOf(id));
    if (!duplicate || seq !== storedAt)
      history.report('an id is stored once', `${name}/${storedAt} (${id}) was stored again at ${seq}`);
  }
}
