import assert from 'node:assert/strict';
import { Broker, type Topic } from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { TestConsumer } from './kit.ts';

// Every bit of a small data directory, one at a time: the content, the bits, and the allowed outcomes of a
// flip.

const deletedLast = 'deleted-last';

/** A data directory, everything ever published to it, and the state that a broker shows of it. */
export interface SmallDirectory {
  readonly files: FaultyFiles;
  /** Message by topic, partition and offset. */
  readonly published: ReadonlyMap<string, string>;
  readonly shown: Shown;
}

/** The state that a broker shows, as plain data. */
interface Shown {
  readonly topics: { readonly [name: string]: string };
  readonly messages: { readonly [place: string]: string };
  readonly ends: { readonly [partition: string]: number };
  readonly groups: { readonly [name: string]: string };
  readonly dedupe: { readonly [id: string]: string };
  readonly scheduled: number;
}

function openBroker(files: FaultyFiles): Promise<Broker> {
  return Broker.open({
    dir: 'data',
    files,
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    memoryBytes: () => 0,
    watermarks: { diskFreeBytesMin: 0 },
    log: {
      journalFileBytes: 8192,
      checkpointBytes: 2 ** 20,
      segmentBytesMax: 1024,
      indexIntervalBytes: 256,
      batchRecordsMax: 3,
      tailCacheBytesMax: 1024,
      readCacheBytesMax: 4096,
    },
  });
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function settle(broker: Broker): Promise<void> {
  await new Promise<void>((resolve) => broker.afterCommit(resolve));
  await turns(2);
}

/**
 * A bit of everything: topics of each kind, removed messages, groups in the middle of their work, dedupe ids,
 * delayed messages.
 */
export async function makeDirectory(how: 'clean stop' | 'crash'): Promise<SmallDirectory> {
  const files = new FaultyFiles();
  const broker = await openBroker(files);
  const published = new Map<string, string>();
  const send = async (topic: Topic, key: string, options = {}): Promise<void> => {
    const value = `${topic.name} ${published.size} ${'v'.repeat(40)}`;
    const message = { key, value, headers: [{ name: 'h', value: Buffer.from(key) }], timestampMs: 1000 };
    const { partition, offset } = await topic.send(message, options);
    if (offset >= 0) published.set(`${topic.name}/${partition}/${offset}`, text(key, value, 1000));
  };
  const events = await broker.createTopic({ name: 'events', partitions: 2, subjects: ['events.>'] });
  const jobs = await broker.createTopic({ name: 'jobs', retention: 'queue' });
  const doomed = await broker.createTopic({ name: 'doomed' });
  const undone = await broker.createTopic({ name: deletedLast });
  const all = await events.createGroup({ name: 'all', ackWaitMs: 1e6 });
  const some = await events.createGroup({ name: 'some', filters: ['b.*'], ordering: 'key' });
  const workers = await jobs.createGroup({ name: 'workers', ackWaitMs: 1e6, deadLetter: 'dead' });
  let latest: Topic | undefined;
  for (let round = 0; round < 3; round++) {
    const consumers = [all, workers].map((group) => {
      const consumer = new TestConsumer(5);
      group.attach(consumer);
      return { group, consumer };
    });
    for (let i = 0; i < 6; i++) {
      await send(events, `${'abc'[i % 3]}.${i}`, i === 3 ? { dedupeId: `id ${round}` } : {});
      await send(jobs, `k${i}`);
      if (i === 1) await send(jobs, 'later', { deliverAtMs: broker.clock.now() + 1e7 });
      if (latest) await send(latest, `k${i % 2}`);
    }
    if (round < 2) await send(doomed, 'x');
    await send(undone, 'y');
    await settle(broker);
    for (const { group, consumer } of consumers) {
      for (const [i, { offset }] of consumer.got.entries()) {
        if (i === 1) group.nack(0, offset, 1e9);
        else if (i === 3) group.reject(0, offset, 'no');
        else if (i !== 2) group.ack(0, offset);
      }
      group.detach(consumer);
      await settle(broker);
    }
    await events.partitions.at(0)!.delete(events.partitions.at(0)!.nextOffset - 1);
    if (round === 0) latest = await broker.createTopic({ name: 'latest', messagesPerKeyMax: 1 });
    if (round === 1) await doomed.delete();
    if (round < 2) await broker.checkpoint();
  }
  const late = await broker.createTopic({
    name: 'late',
    attributes: { note: 'defined after the last checkpoint' },
  });
  await late.createGroup({ name: 'tail' });
  await some.pause();
  await undone.delete();
  for (let i = 0; i < 3; i++) await send(late, `z${i}`);
  await settle(broker);
  await turns(100); // nothing is under way any more
  if (how === 'clean stop') await broker.close();
  const left = files.crash('process', new SeededRandom(1));
  const intact = await openBroker(left.fork());
  for (const name of ['dead']) {
    for await (const record of intact.topic(name)!.partitions.at(0)!.scan(0))
      published.set(`${name}/0/${record.offset}`, textOf(record));
  }
  const shown = await show(intact);
  assert.deepEqual([intact.health.damage, intact.stats().log.recovery.tornBytes], [[], 0]);
  assert.equal(Object.keys(shown.topics).length, 5);
  assert.ok(shown.scheduled === 3 && Object.keys(shown.dedupe).length === 3);
  return { files: left, published, shown };
}

interface Readable {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestampMs: number;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[];
}

function textOf({ key, value, timestampMs, headers }: Readable): string {
  const own = headers.filter(({ name }) => name === 'h').map((header) => asText(header.value));
  assert.deepEqual(own.length, 1);
  return text(own[0]!, asText(value), timestampMs) + (asText(key) === own[0] ? '' : asText(key));
}

function asText(bytes: Uint8Array | null): string {
  return bytes === null ? 'null' : Buffer.from(bytes).toString('utf8');
}

function text(key: string, value: string, timestampMs: number): string {
  return `${key}: ${value} at ${timestampMs}`;
}

async function show(broker: Broker): Promise<Shown> {
  const topics: { [name: string]: string } = {};
  const messages: { [place: string]: string } = {};
  const ends: { [partition: string]: number } = {};
  const groups: { [name: string]: string } = {};
  const dedupe: { [id: string]: string } = {};
  for (const topic of broker.topics.values()) {
    topics[topic.name] = JSON.stringify(topic.config);
    for (const partition of topic.partitions.opened.slice()) {
      const where = `${topic.name}/${partition.index}`;
      ends[where] = partition.nextOffset;
      for await (const record of partition.scan(0)) messages[`${where}/${record.offset}`] = textOf(record);
    }
    for (const group of topic.groups.values()) {
      const positions = group.positions.opened.map(({ cursor, pending, filteredLag }) => {
        const entries = [...pending.values()].map(({ offset, deliveries }) => [offset, deliveries]);
        return { cursor, filteredLag, entries };
      });
      groups[`${topic.name}/${group.name}`] = JSON.stringify([group.config, positions]);
    }
    for (const [id, { partition, offset }] of topic.deduplication.entries())
      dedupe[`${topic.name}/${id}`] = `${partition}/${offset}`;
  }
  return { topics, messages, ends, groups, dedupe, scheduled: broker.stats().delayed };
}

export interface Bit {
  readonly path: string;
  readonly bit: number;
}

/** Every bit of every file, but only some of the zeros at the end of the journal. */
export function bitsOf({ files }: SmallDirectory): Bit[] {
  const bits: Bit[] = [];
  for (const path of files.paths()) {
    const bytes = files.bytes(path)!;
    const used = Math.min(bytes.length, bytes.findLastIndex((byte) => byte !== 0) + 600);
    for (let bit = 0; bit < used * 8; bit++) bits.push({ path, bit });
  }
  return bits;
}

export type Outcome = 'harmless' | 'told, nothing lost' | 'told, something lost';

/**
 * Flips one bit and starts a broker there. Throws if anything wrong is served, if something is gone without a
 * report, or if a topic is gone at all. With `isUsed` it also delivers everything, publishes, and starts once
 * more.
 */
export async function flip(directory: SmallDirectory, { path, bit }: Bit, isUsed: boolean): Promise<Outcome> {
  const files = directory.files.fork();
  files.damage(path, (bytes) => {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  });
  const where = `bit ${bit & 7} of byte ${bit >> 3} of ${path}`;
  try {
    return await tryOut(directory, files, isUsed);
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/**
 * Changes files freely and starts a broker there, or returns why it does not start, if that is allowed. Much
 * may be lost then, and is reported; but everything served must have been published.
 */
export async function changeAndStart(
  { files: intact, published }: SmallDirectory,
  change: (files: FaultyFiles) => void,
  isAllowed: (error: unknown) => boolean,
): Promise<void> {
  const files = intact.fork();
  change(files);
  let broker: Broker;
  try {
    broker = await openBroker(files);
  } catch (error) {
    if (isAllowed(error)) return;
    throw error;
  }
  const { messages } = await show(broker);
  for (const place of Object.keys(messages))
    assert.equal(messages[place], published.get(place), `the message at ${place}`);
  await broker.close();
}

async function tryOut(
  { published, shown: before }: SmallDirectory,
  files: FaultyFiles,
  isUsed: boolean,
): Promise<Outcome> {
  const broker = await openBroker(files);
  const shown = await show(broker);
  // A deletion that was lost leaves the topic there; it is told like any loss.
  const { [deletedLast]: _, ...topics } = shown.topics;
  assert.deepEqual(topics, before.topics, 'the topics and their configurations');
  for (const place of Object.keys(shown.messages))
    assert.equal(shown.messages[place], published.get(place), `the message at ${place}`);
  const torn = broker.stats().log.recovery.tornBytes > 0;
  const told = torn || broker.health.damage.length > 0;
  const isSame = JSON.stringify(shown) === JSON.stringify(before);
  if (!told) assert.deepEqual(shown, before, 'nothing was told, and something is not as it was');
  if (isUsed) {
    // The last commit of all looks as if it had never been written to its end: its offsets are used again
    // (which is told).
    await useIt(broker, published, torn ? undefined : before);
    const used = await show(broker);
    await broker.close();
    const again = await openBroker(files);
    const { topics, messages } = await show(again);
    assert.deepEqual(topics, shown.topics, 'the topics after another start');
    assert.deepEqual(messages, used.messages, 'the messages after another start');
    await again.close();
  } else await broker.close();
  return isSame ? (told ? 'told, nothing lost' : 'harmless') : 'told, something lost';
}

/** Delivers all messages to a new group of each topic, and publishes to it. */
async function useIt(
  broker: Broker,
  published: ReadonlyMap<string, string>,
  before: Shown | undefined,
): Promise<void> {
  for (const topic of broker.topics.values()) {
    const group = await topic.createGroup({ name: 'reader', ack: 'none' });
    const consumer = new TestConsumer();
    group.attach(consumer);
    for (const partition of topic.partitions.opened.slice()) {
      const { index } = partition;
      const { offset } = await topic.send(
        { value: 'new', headers: [{ name: 'h', value: Buffer.from('') }] },
        { partition: index },
      );
      if (before)
        assert.ok(offset >= before.ends[`${topic.name}/${index}`]!, `offset ${offset} is used again`);
    }
    await turns(4);
    for (const { offset, value } of consumer.got) {
      const originals = topic.partitions
        .indexes()
        .map((index) => published.get(`${topic.name}/${index}/${offset}`));
      assert.ok(
        value === 'new' || originals.some((original) => original?.includes(`: ${value} at `)),
        `delivered ${value} of ${topic.name} at ${offset}`,
      );
    }
  }
}
