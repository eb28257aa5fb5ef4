import assert from 'node:assert/strict';
import { LogError, type Log, type LogOptions } from '../../src/log/index.ts';
import { FaultyFiles, type FileCall } from '../support/faulty-files.ts';
import { SeededRandom, type Random, type VirtualClock } from '../../src/util/index.ts';
import {
  append,
  openLog,
  readAll,
  smallLimits,
  type HostState,
  type Read,
  type TestHost,
  type TestOptions,
} from './kit.ts';

/**
 * Everything the log holds as of one seal: the host's state, and the value of every offset appended so far.
 */
interface Truth {
  readonly host: HostState;
  readonly ends: { [id: string]: number };
}

export type Script = (recorder: Recorder, random: Random) => Promise<void>;

/** A point where the log could have died, and the promises made by then. */
export interface CrashPoint {
  readonly call: FileCall;
  readonly number: number;
  /** Disks as a second start may find them. */
  readonly disks: FaultyFiles[];
  readonly ackedSeal: number;
}

/**
 * A recorder runs a script on a log and, at every call to its files, takes the disk as a crash there would
 * leave it. It also notes the log's content at every seal, and which seals were durable, so that any
 * recovered state can be judged.
 */
export class Recorder {
  readonly files: FaultyFiles;
  readonly points: CrashPoint[] = [];
  readonly values: Map<string, string> = new Map<string, string>();
  readonly truths: Truth[] = [];
  readonly #random: Random;
  readonly #options: TestOptions;
  host!: TestHost;
  log!: Log;
  #acked = 0;
  #sealed = 0;
  readonly #modes: readonly ('power' | 'process')[];

  constructor(
    seed: number,
    options: TestOptions = {},
    modes: readonly ('power' | 'process')[] = ['power', 'process'],
  ) {
    this.#random = new SeededRandom(seed);
    // A journal file holds some ten commits here, so that files are recycled all the time.
    this.#options = { ...smallLimits, journalFileBytes: 8192, checkpointBytes: 32_768, ...options };
    this.#modes = modes;
    this.files = new FaultyFiles({ random: new SeededRandom(seed + 1) });
    this.truths.push({ host: { texts: {}, partitions: {}, deleted: {} }, ends: {} });
  }

  /** Runs a script and takes the disk at every `every`th call that changes something. */
  async run(script: Script, every: number = 1): Promise<void> {
    this.files.before = (call) => {
      if (isHarmless(call) || this.files.calls % every !== 0) return undefined;
      const inFlight =
        call.kind === 'write'
          ? [{ path: call.path, position: call.position!, bytes: new Uint8Array(call.bytes!) }]
          : [];
      const disks = this.#modes.map((mode) => this.files.crash(mode, this.#random, { inFlight }));
      this.points.push({ call: { ...call }, number: this.files.calls, disks, ackedSeal: this.#acked });
      return undefined;
    };
    await this.#open();
    await script(this, this.#random);
    this.files.before = undefined;
  }

  async #open(): Promise<VirtualClock> {
    const { log, host, clock } = await openLog(this.files, this.#options);
    this.log = log;
    this.host = host;
    host.onSealed = () => {
      this.#sealed++;
      this.truths[this.#sealed] = this.#truth();
    };
    host.onDurable = () => {
      this.#acked = this.#sealed;
    };
    return clock;
  }

  /**
   * Runs a script with one failing call; returns the last seal that was acknowledged. A failure must be a
   * LogError.
   */
  async attempt(script: Script, before: FaultyFiles['before']): Promise<number> {
    this.files.before = before;
    try {
      const clock = await this.#open();
      const progress = { ended: false };
      const running = script(this, this.#random).finally(() => {
        progress.ended = true;
      });
      running.catch(() => {});
      // Operations that wait for room are retried as time passes.
      for (let turn = 0; !progress.ended && this.host.failure === undefined; turn++) {
        assert.ok(turn < 5000, 'the script hangs');
        await new Promise((resolve) => setImmediate(resolve));
        if (turn % 20 === 19) clock.advance(1000);
      }
      try {
        if (this.host.failure === undefined) await running;
      } finally {
        await this.log.close();
      }
    } catch (error) {
      assert.ok(error instanceof LogError, `not a LogError: ${String(error)}`);
    } finally {
      this.files.before = undefined;
    }
    return this.#acked;
  }

  #truth(): Truth {
    const ends: { [id: string]: number } = {};
    for (const id of Object.keys(this.host.state.partitions))
      ends[id] = this.log.openPartition(Number(id)).endOffset;
    return { host: structuredClone(this.host.state), ends };
  }

  append(id: number, text: string): number {
    const offset = append(this.log.partition(id)!, text);
    this.values.set(`${id}/${offset}`, text);
    return offset;
  }

  get options(): TestOptions {
    return this.#options;
  }
}

function isHarmless(call: FileCall): boolean {
  return ['read', 'size', 'list', 'space', 'lock', 'close', 'file-size'].includes(call.kind);
}

/**
 * Opens the files left by a crash and compares them with the promises: everything acknowledged, and a whole
 * number of commits beyond.
 */
export async function judge(
  recorder: Recorder,
  point: Pick<CrashPoint, 'ackedSeal'>,
  files: FaultyFiles,
  options: Partial<LogOptions> = {},
): Promise<{ log: Log; host: TestHost }> {
  const { log, host } = await openLog(files, { ...recorder.options, ...options });
  assert.deepEqual(host.damage, [], 'a crash is no damage');
  const state = JSON.stringify(sorted(host.state));
  const ends = endsOf(host, log);
  const seal = recorder.truths.findLastIndex(
    (truth) => JSON.stringify(sorted(truth.host)) === state && sameEnds(truth.ends, ends),
  );
  const wanted = JSON.stringify(recorder.truths[point.ackedSeal]);
  assert.ok(
    seal >= 0,
    `the state is that of no commit: ${state} ${JSON.stringify(ends)}; acked is ${wanted}`,
  );
  assert.ok(
    seal >= point.ackedSeal,
    `commit ${point.ackedSeal} was acknowledged, but ${seal} is what is left`,
  );
  for (const id of Object.keys(host.state.partitions)) {
    const partition = log.partition(Number(id))!;
    const start = host.state.partitions[id]!;
    assert.ok(partition.startOffset <= Math.max(start, 0) || partition.startOffset === start);
    const deleted = new Set(host.state.deleted[id] ?? []);
    let expected = start;
    const passOver = (to: number): void => {
      for (; expected < to; expected++) {
        assert.ok(deleted.has(expected), `offset ${expected} of partition ${id} is missing`);
      }
    };
    for (const { offset, value } of await readAll(partition, start)) {
      if (offset < start) continue;
      passOver(offset);
      assert.equal(value, recorder.values.get(`${id}/${offset}`), `value at ${id}/${offset}`);
      expected = offset + 1;
    }
    passOver(partition.endOffset);
    assert.equal(partition.durableEnd, partition.endOffset);
  }
  assert.deepEqual(host.damage, [], 'a crash is no damage');
  return { log, host };
}

/**
 * Goes on with a log that was recovered and judged: writes enough to go through several journal files,
 * checkpoints on the way, dies again, and sees that all of it is there.
 */
export async function goOn(
  recorder: Recorder,
  { log, host }: { log: Log; host: TestHost },
  files: FaultyFiles,
  random: Random,
): Promise<void> {
  host.create(1000);
  const partition = log.partition(1000)!;
  const written = 10 + random.int(20);
  for (let i = 0; i < written; i++) {
    append(partition, `after ${i} ${'.'.repeat(random.int(3000))}`);
    await log.flush();
    if (random.int(8) === 0) await log.checkpoint();
  }
  const before = new Map<number, string>();
  for (const known of log.partitions()) before.set(known.id, JSON.stringify(await readAll(known)));
  const left = await openLog(
    files.crash(random.int(2) === 0 ? 'power' : 'process', random),
    recorder.options,
  );
  assert.deepEqual(left.host.damage, []);
  for (const known of left.log.partitions()) {
    const read = (await readAll(known)).filter(({ offset }) => offset >= known.startOffset);
    const expected = (JSON.parse(before.get(known.id)!) as Read[]).filter(
      ({ offset }) => offset >= known.startOffset,
    );
    assert.deepEqual(read, expected);
  }
  assert.equal([...left.log.partitions()].length, before.size);
  assert.equal(left.log.partition(1000)!.endOffset, written);
  await left.log.close();
}

function endsOf(host: TestHost, log: Log): { [id: string]: number } {
  const ends: { [id: string]: number } = {};
  for (const id of Object.keys(host.state.partitions)) ends[id] = log.partition(Number(id))!.endOffset;
  return ends;
}

function sameEnds(a: { [id: string]: number }, b: { [id: string]: number }): boolean {
  return JSON.stringify(byName(a)) === JSON.stringify(byName(b));
}

function byName<T>(map: { readonly [key: string]: T }): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

function sorted({ texts, partitions, deleted }: HostState): unknown {
  return [byName(texts), byName(partitions), byName(deleted)];
}

/** A script that does a little of everything, with the choices left to chance. */
export function everything(steps: number): Script {
  return async (recorder, random) => {
    const { host, log } = recorder;
    let lastId = 0;
    const live: number[] = [];
    const pick = (): number => live[random.int(live.length)]!;
    const background: Promise<unknown>[] = [];
    const later = (work: Promise<unknown>): void => {
      work.catch(() => {}); // it is awaited, and its failure heard of, further down
      background.push(work);
    };
    for (let step = 0; step < steps; step++) {
      const dice = random.int(100);
      if (live.length === 0 || (dice < 3 && live.length < 4)) {
        host.create(++lastId);
        live.push(lastId);
      } else if (dice < 60) {
        const id = pick();
        for (let count = 1 + random.int(12); count > 0; count--)
          recorder.append(
            id,
            `v${step}-${count}-${'x'.repeat(random.int(random.int(20) === 0 ? 1500 : 80))}`,
          );
      } else if (dice < 70) host.put(1, random.int(5), `t${step}`);
      else if (dice < 78) {
        const id = pick();
        const partition = log.partition(id)!;
        host.trim(id, partition.startOffset + random.int(partition.endOffset - partition.startOffset + 1));
      } else if (dice < 84) {
        const id = pick();
        const partition = log.partition(id)!;
        for (let count = random.int(8); count > 0; count--) {
          const offset =
            partition.startOffset + random.int(Math.max(1, partition.endOffset - partition.startOffset));
          if (offset < partition.endOffset) host.put(5, id, String(offset));
        }
      } else if (dice < 87) {
        const id = pick();
        const partition = log.partition(id)!;
        const segment = partition.segments()[0];
        // Records to be compacted away must be deleted durably first.
        await log.flush();
        const deleted = new Set(host.state.deleted[id] ?? []);
        if (segment !== undefined)
          later(partition.compact(segment.baseOffset, (offset) => !deleted.has(offset)));
      } else if (dice < 89) later(log.checkpoint());
      else if (dice < 90 && live.length > 1) {
        const id = live.splice(random.int(live.length), 1)[0]!;
        host.drop(id);
      } else if (dice < 92) later(log.partition(pick())!.roll());
      else if (dice < 94) await readAll(log.partition(pick())!);
      if (random.int(3) > 0) await log.flush();
      if (background.length > 0 && random.int(4) === 0) await Promise.all(background.splice(0));
    }
    await Promise.all(background);
    await log.close();
  };
}
