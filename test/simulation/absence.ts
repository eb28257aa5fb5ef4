import { Broker, type Topic } from '../../src/broker/index.ts';
import { LogError, MemoryFiles } from '../../src/log/index.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { TestConsumer } from '../broker/kit.ts';

/*
 * Absence between two lives: a file of a killed or stopped broker is lost, shortened, swapped with another,
 * copied over another, or replaced by an older form of itself. The next life is compared with one without the
 * harm: differences must have been reported, everything served must have been stored, and messages acked
 * after that must be there in the life after.
 */

/**
 * The content of a life, as plain data: messages by topic, partition and offset; positions of groups; the
 * number of delayed messages.
 */
interface Holdings {
  readonly messages: ReadonlyMap<string, string>;
  readonly positions: string;
}

interface Life {
  readonly broker: Broker;
  readonly clock: VirtualClock;
  readonly reports: string[];
}

const startMs = 1_700_000_000_000;

async function start(files: MemoryFiles, seed: number, sinceMs: number): Promise<Life> {
  const clock = new VirtualClock({ startMs: startMs + sinceMs });
  const reports: string[] = [];
  const broker = await Broker.open({
    dir: 'data',
    files,
    clock,
    random: new SeededRandom(seed),
    watermarks: { diskFreeBytesMin: 1 },
    log: { journalFileBytes: 8192, checkpointBytes: 24_576, segmentBytesMax: 2048, batchBytesMax: 512 },
    memoryBytes: () => 0,
    onDamaged: ({ message }) => reports.push(message),
  });
  return { broker, clock, reports };
}

async function settle(broker: Broker): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) => broker.afterCommit(resolve));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** A heartbeat: it records what is durable by now. */
async function beat({ broker, clock }: Life): Promise<void> {
  clock.advance(1000);
  for (let turn = 0; turn < 8; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  await settle(broker);
}

/** A while of publishing and acking. */
async function live(life: Life, random: SeededRandom, steps: number): Promise<void> {
  const { broker, clock } = life;
  for (let step = 0; step < steps; step++) {
    const dice = random.int(40);
    const topics = [...broker.topics.values()];
    if (topics.length === 0 || (dice === 0 && topics.length < 4)) {
      const options = { name: `t${random.int(1_000_000)}`, partitions: 1 + random.int(2) };
      const topic = await broker.createTopic({
        ...options,
        retention: random.int(3) === 0 ? 'queue' : 'limits',
      });
      await topic.createGroup({ name: 'all', ackWaitMs: 1_000_000_000 });
      continue;
    }
    const topic = topics[random.int(topics.length)]!;
    if (dice < 30) {
      const partition = random.int(topic.config.partitions);
      const value = `${topic.name}/${partition} ${step} ${'.'.repeat(random.int(300))}`;
      await topic.send({ value }, { partition });
    } else if (dice < 34) await consume(broker, topic, 1 + random.int(6));
    else if (dice === 34)
      await topic.send({ value: `later ${step}` }, { deliverAtMs: clock.now() + 1_000_000_000 });
    else if (dice === 35) await broker.checkpoint();
    else if (dice === 36) await beat(life);
    else if (dice === 37 && topics.length > 2) await topic.delete();
  }
  await settle(broker);
}

async function consume(broker: Broker, topic: Topic, count: number): Promise<void> {
  const group = topic.groups.get('all');
  if (!group) return;
  const consumer = new TestConsumer(count);
  const receive = consumer.receive.bind(consumer);
  consumer.receive = (delivery) => {
    receive(delivery);
    const { partition, record } = delivery;
    const { offset } = record;
    queueMicrotask(() => void group.ack(partition, offset));
  };
  group.attach(consumer);
  await settle(broker);
  group.detach(consumer);
  await settle(broker);
}

async function holdings({ broker }: Life): Promise<Holdings> {
  const messages = new Map<string, string>();
  const positions: unknown[] = [broker.stats().delayed];
  for (const topic of broker.topics.values()) {
    for (let index = 0; index < topic.config.partitions; index++) {
      for await (const record of topic.partitions.at(index)!.scan(0))
        messages.set(`${topic.name}/${index}/${record.offset}`, Buffer.from(record.value!).toString());
    }
    for (const group of topic.groups.values()) {
      const each = topic.partitions.indexes().map((index) => group.positions.at(index)!);
      positions.push([topic.name, each.map(({ cursor, ackFloor, lag }) => [cursor, ackFloor, lag])]);
    }
  }
  return { messages, positions: JSON.stringify(positions) };
}

export const harms = ['lose', 'empty', 'shorten', 'swap', 'duplicate', 'bring back'] as const;
export type Harm = (typeof harms)[number];

async function put(files: MemoryFiles, path: string, bytes: Uint8Array): Promise<void> {
  await files.makeDir(path.slice(0, path.lastIndexOf('/')));
  const file = await files.open(path, { create: true, truncate: true });
  await file.write(Uint8Array.from(bytes), 0);
}

function kindOf(path: string): string {
  return path
    .replace(/.*\/(?=[^/]*$)/, '')
    .replace(/^[0-9a-f]+\./, '')
    .replace(/-[ab]$/, '');
}

/** Does the harm and returns its description, or undefined if no file is suitable. */
async function harmFiles(
  files: MemoryFiles,
  before: MemoryFiles,
  harm: Harm,
  random: SeededRandom,
): Promise<string | undefined> {
  const paths = files.paths().filter((path) => !/index$|\.new$|quarantine/.test(path));
  const path = paths[random.int(paths.length)]!;
  const bytes = Uint8Array.from(files.bytes(path)!);
  if (harm === 'lose') await files.remove(path);
  else if (harm === 'empty') await put(files, path, new Uint8Array(0));
  else if (harm === 'shorten') await put(files, path, bytes.subarray(0, random.int(bytes.length + 1)));
  else if (harm === 'bring back') {
    const old = before.bytes(path);
    if (old === undefined) return undefined;
    await put(files, path, old);
  } else {
    const others = paths.filter((other) => other !== path && kindOf(other) === kindOf(path));
    if (others.length === 0) return undefined;
    const other = others[random.int(others.length)]!;
    const content = Uint8Array.from(files.bytes(other)!);
    await put(files, other, bytes);
    if (harm === 'swap') await put(files, path, content);
    return `${harm} ${path} and ${other}`;
  }
  return `${harm} ${path}`;
}

/** Plays one pair of lives; says which promise was broken, or undefined. */
export async function playAbsence(seed: number): Promise<string | undefined> {
  const random = new SeededRandom(seed);
  const harm = harms[seed % harms.length]!;
  const files = new MemoryFiles();
  const first = await start(files, seed, 0);
  await live(first, random, 10 + random.int(60));
  await beat(first);
  const before = files.copy(); // a file that comes back is older than the last heartbeat
  await live(first, random, 5 + random.int(60));
  if (harm === 'bring back' || random.int(2) === 0) await beat(first);
  const sinceMs = first.clock.monotonic();
  const isStopped = random.int(3) === 0;
  const killed = files.copy();
  await first.broker.close();
  const left = isStopped ? files : killed;

  const unharmedLife = await start(left.copy(), seed + 1, sinceMs);
  const unharmed = await holdings(unharmedLife);
  const { reports } = unharmedLife;
  await unharmedLife.broker.close();
  if (reports.length > 0) return `damage where no harm was done: ${reports[0]}`;

  const what = await harmFiles(left, before, harm, random);
  if (what === undefined) return undefined;
  const broken = (text: string): string =>
    `seed ${seed}, ${what}${isStopped ? ' after a stop' : ''}: ${text}`;
  let life: Life;
  try {
    life = await start(left, seed + 2, sinceMs);
  } catch (error) {
    return error instanceof LogError ? undefined : broken(`not a LogError: ${(error as Error).stack}`);
  }
  await settle(life.broker);
  const found = await holdings(life);
  await settle(life.broker);
  const isTold = life.reports.length > 0;
  for (const [place, value] of found.messages) {
    const expected = unharmed.messages.get(place);
    if (expected !== undefined && expected !== value)
      return broken(`${place} is "${value}", not "${expected}"`);
    if (!value.startsWith(place.slice(0, place.lastIndexOf('/'))) && !value.startsWith('later'))
      return broken(`${place} is of another topic: "${value}"`);
    if (expected === undefined && !isTold) return broken(`${place} came back, and nothing was reported`);
  }
  const missing = [...unharmed.messages.keys()].filter((place) => !found.messages.has(place));
  if (missing.length > 0 && !isTold) return broken(`silent loss of ${missing.length}: ${missing[0]}`);
  if (found.positions !== unharmed.positions && !isTold)
    return broken(`silent: ${found.positions} instead of ${unharmed.positions}`);
  return goOn(life, left, unharmed, seed, sinceMs, broken);
}

/**
 * Messages acked from here on must be there after the next kill, at offsets that no other message ever had.
 */
async function goOn(
  life: Life,
  files: MemoryFiles,
  unharmed: Holdings,
  seed: number,
  sinceMs: number,
  broken: (text: string) => string,
): Promise<string | undefined> {
  const acked = new Map<string, string>();
  const known = new Set([...unharmed.messages.keys()].map((place) => place.split('/')[0]!));
  if (life.broker.topics.size === 0) await life.broker.createTopic({ name: 'new' });
  for (const topic of life.broker.topics.values()) {
    for (let i = 0; i < 12; i++) {
      const value = `after ${i} ${'.'.repeat(200)}`;
      const { partition, offset } = await topic.send({ value });
      const place = `${topic.name}/${partition}/${offset}`;
      if (known.has(topic.name) && unharmed.messages.has(place))
        return broken(`${place} was given out again`);
      acked.set(place, value);
    }
  }
  const killed = files.copy();
  await life.broker.close();
  for (const left of [killed, files]) {
    const next = await start(left, seed + 3, sinceMs + 1000);
    const { messages } = await holdings(next);
    await next.broker.close();
    for (const [place, value] of acked)
      if (messages.get(place) !== value)
        return broken(`${place}, acked after the harm, is ${messages.get(place)}`);
  }
  return undefined;
}
