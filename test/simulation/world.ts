import { Broker, type DamageReport, type LogError, type Record } from '../../src/broker/index.ts';
import { SeededRandom } from '../../src/util/index.ts';
import { PoisonedBlocks } from '../support/index.ts';
import { wrongAccounts } from './accounts.ts';
import { Client } from './client.ts';
import { groupKeyOf, keyOf } from './keys.ts';
import { Disk } from './disk.ts';
import { GatedFiles, type SyncedWrites } from './gated-files.ts';
import { startTimeMs } from './generator.ts';
import { History } from './history.ts';
import { Lookout } from './lookout.ts';
import { Interrupted, Machine, settled, type Interruption } from './machine.ts';
import { sight, type Sighting } from './message.ts';
import type { Crash, Operation, PlannedMessage, Script } from './script.ts';
import { SimulatedClock } from './simulated-clock.ts';

export interface WorldOptions {
  /** Calls of the disk complete in the order they were made. */
  readonly inOrder?: boolean;
  readonly trace?: boolean;
  readonly interruptions?: readonly Interruption[];
  /** Once all interruptions have happened, only so many operations of the script are left. */
  readonly operationsAfter?: number;
}

/** Starts that may fail in a row because of faults the script asked for. */
const startsMax = 8;

/**
 * The world is one machine with its disk, the broker that lives and dies on it, and the client, which
 * remembers.
 */
export class World {
  #memoryLooks = 0;
  readonly clock: SimulatedClock = new SimulatedClock(startTimeMs);
  readonly history: History = new History(this.clock);
  readonly machine: Machine;
  /** Calls of the disk until the script was at its end. */
  callsOfScript = 0;
  /** Calls of the disk that the start after the first interruption made. */
  callsOfRecovery: number | undefined = undefined;
  #operationsLeft: number;
  /** The disk was told to refuse something: waiting operations wait longer. */
  #wasFaulty = false;
  readonly #script: Script;
  readonly #client: Client;
  readonly #lookout = new Lookout(this.history);
  #disk: Disk;
  #broker: Broker | undefined;
  /** Damage that was reported before the broker was up. */
  #reports: DamageReport[] = [];
  /** The log gave up: the process is about to end. */
  #failed: LogError | undefined;

  constructor(script: Script, options: WorldOptions = {}) {
    this.#script = script;
    this.#operationsLeft = options.operationsAfter ?? Infinity;
    this.#disk = new Disk(new SeededRandom(script.seed + 7));
    this.#disk.onSyncFailed = () => void this.history.add({ kind: 'sync-failed' });
    this.machine = new Machine(this.clock, this.#gated(), {
      inOrder: options.inOrder ?? false,
      trace: options.trace ?? false,
      interruptions: options.interruptions ?? [],
    });
    this.machine.isPatient = script.door === 'amqp' || script.door === 'sqs';
    this.machine.onFailing = (code) => this.#disk.failNext(code);
    this.machine.onStep = () => {
      if (this.#broker && !this.#seesAnswersOnly) this.#lookout.look(this.#broker);
    };
    this.#client = new Client(this.history, this.clock, plansOf(script), script);
  }

  /** The whole life: the script, then everything is given out and read, and read again after a last stop. */
  async live(): Promise<void> {
    const random = new SeededRandom(this.#script.seed);
    await this.#survive(random, () => this.start(random));
    for (const operation of this.#script.operations) {
      if (this.machine.isUndisturbed && this.#operationsLeft-- <= 0) break;
      await this.#survive(random, () => this.perform(operation));
    }
    this.callsOfScript = this.machine.callsEver;
    while (!(await this.#survive(random, () => this.finish())));
  }

  /** Does something that may be cut short: then the broker is started again. False: it was. */
  async #survive(random: SeededRandom, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await this.#startAfter(random, error);
      return false;
    }
  }

  async #startAfter(random: SeededRandom, interrupted: Interrupted): Promise<void> {
    this.#die(random, interrupted.power);
    try {
      await this.start(random);
      this.callsOfRecovery ??= this.machine.callsDone;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await this.#startAfter(random, error);
    }
  }

  async perform(operation: Operation): Promise<void> {
    const random = new SeededRandom(operation.turn);
    const { machine } = this;
    switch (operation.kind) {
      case 'wait':
        await machine.wait(random, operation.ms);
        break;
      case 'set-clock':
        await this.#setClock(random, operation);
        break;
      case 'stop':
        await this.#stop(random, operation.downMs);
        if (operation.look) await this.look(random);
        break;
      case 'crash':
        await this.#crash(random, operation);
        if (operation.look) await this.look(random);
        break;
      case 'fault':
        this.#disk.fault(operation);
        this.#wasFaulty = true;
        break;
      default:
        this.#client.perform(operation);
    }
    await machine.run(random, operation.steps < 0 ? Infinity : operation.steps);
    if (this.#failed) await this.#exit(random);
    const { isIdle, clock } = machine;
    if (isIdle && clock.nextTimerMs > clock.monotonic() && !this.#broker!.health.diskFull)
      this.history.add({ kind: 'idle', ...this.#client.atRest(this.#wasFaulty) });
  }

  #gated(): GatedFiles {
    return new GatedFiles(this.#disk.files, this.#commits);
  }

  /** Commits are all that is written to the journal behind a file's header. */
  readonly #commits: SyncedWrites = {
    asked: (path, position) =>
      path.startsWith('data/journal/') && position > 0 ? this.history.events.length - 1 : -1,
    done: (upTo) => {
      if (upTo >= 0) this.history.add({ kind: 'written', upTo });
    },
  };

  // ---- the broker's life

  async start(random: SeededRandom, callLimits: readonly number[] = []): Promise<void> {
    const limits = [...callLimits];
    for (let attempt = 1; ; attempt++) {
      const limit = limits.shift();
      if (await this.#tryStart(random, limit)) return;
      if (limit === undefined && attempt >= startsMax) throw new Error(`The broker does not start.`);
    }
  }

  /** False: it died on the way, as planned or by a fault of the disk that was asked for. */
  async #tryStart(random: SeededRandom, callLimit: number | undefined): Promise<boolean> {
    const { history, machine } = this;
    history.run++;
    this.#failed = undefined;
    machine.files = this.#gated();
    machine.callsDone = 0;
    this.#broker = undefined;
    this.#reports = [];
    let ended = false;
    let broker: Broker | undefined;
    let failure: unknown;
    Broker.open({
      dir: 'data',
      files: machine.files,
      clock: this.clock,
      random: new SeededRandom(this.#script.seed + history.run),
      watermarks: { diskFreeBytesMin: 1 },
      memoryBytes: () => this.#memoryBytes(),
      log: { ...this.#script.log, blocks: new PoisonedBlocks() },
      onFailed: (error) => {
        this.#failed = error;
        history.add({ kind: 'failed', code: error.code });
      },
      onDamaged: (report) => this.#onDamaged(report),
    })
      .then(
        (opened) => (broker = opened),
        (error: unknown) => (failure = error),
      )
      .finally(() => (ended = true));
    const isDead = (): boolean => callLimit !== undefined && machine.callsDone >= callLimit;
    const done = await machine.runUntil(random, () => ended || isDead());
    if (broker) {
      this.#broker = broker;
      this.#lookout.startOver();
      for (const report of this.#reports.splice(0)) this.#noteDamage(broker, report);
      this.#client.connect(broker);
      history.add({ kind: 'started' });
      return true;
    }
    if (isDead()) this.#die(random, this.#script.movesOn === undefined || random.int(2) === 0);
    else if (!done) throw new Error('The broker hangs as it starts.');
    else if (this.#disk.takeFaults() === 0) throw failure;
    else this.#die(random, false);
    return false;
  }

  /** The system cannot always say: to ask is a system call, and needs a descriptor. */
  #memoryBytes(): number {
    if (++this.#memoryLooks % 3 === 0) throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    return 0;
  }

  /**
   * The disk loses nothing that was synced, so a report of damage is wrong, unless reading failed as the
   * script asked for.
   */
  #onDamaged(report: DamageReport): void {
    if (report.kind !== 'segment' || this.#disk.readFailures === 0)
      this.history.add({ kind: 'problem', text: `damage reported: ${report.message}` });
    else if (this.#broker) this.#noteDamage(this.#broker, report);
    else this.#reports.push(report);
  }

  #noteDamage(broker: Broker, { partitionId, fromOffset, toOffset }: DamageReport): void {
    const range = { from: fromOffset!, to: toOffset! };
    for (const topic of broker.topics.values()) {
      const partition = topic.partitions.opened.find(({ log }) => log.id === partitionId);
      if (!partition) continue;
      this.history.add({ kind: 'damaged', topic: keyOf(topic), partition: partition.index, ...range });
      return;
    }
    this.history.add({ kind: 'damaged', topic: undefined, partition: 0, ...range });
  }

  async #stop(random: SeededRandom, downMs: number, setMs: number = 0): Promise<void> {
    let closed = false;
    let isClean = true;
    this.history.add({ kind: 'stopping' });
    this.#broker!
      .close()
      .catch(() => (isClean = false))
      .finally(() => (closed = true));
    if (!(await this.machine.runUntil(random, () => closed)))
      throw new Error('The broker hangs as it stops.');
    if (this.#failed) return this.#exit(random);
    if (!isClean) {
      // There was no room, say: as the broker told, the next start replays the journal.
      this.#die(random, false);
      return this.start(random);
    }
    this.#client.disconnect();
    this.history.add({ kind: 'stopped' });
    this.clock.forget();
    this.#pass(downMs, setMs);
    await this.start(random);
  }

  async #crash(
    random: SeededRandom,
    { power, downMs, again }: Omit<Crash, 'look'>,
    setMs: number = 0,
  ): Promise<void> {
    this.#die(random, power);
    this.#pass(downMs, setMs);
    await this.start(random, again);
  }

  /** After a failed write or sync the process ends by itself; sometimes the machine goes with it. */
  async #exit(random: SeededRandom): Promise<void> {
    this.#die(random, random.int(3) === 0);
    this.clock.pass(10);
    await this.start(random);
  }

  #die(random: SeededRandom, isOff: boolean): void {
    const power = isOff || this.#disk.isBroken;
    this.#client.disconnect();
    this.history.add({ kind: 'crashed', power });
    this.#disk = this.#disk.afterCrash(power, this.machine.files.waiting, random);
    if (this.#script.movesOn && (power || random.int(2) === 0))
      this.#disk.files.scope = `place ${this.history.run}`;
    this.clock.forget();
    this.#broker = undefined;
  }

  /** The broker sees the jump and stores it, before anything else is asked of it. */
  async #setClock(
    random: SeededRandom,
    { byMs, down }: Extract<Operation, { kind: 'set-clock' }>,
  ): Promise<void> {
    if (down === 'stop') return this.#stop(random, 1, byMs);
    if (down === 'crash')
      return this.#crash(random, { kind: 'crash', power: true, downMs: 1, again: [] }, byMs);
    this.history.add({ kind: 'clock-set', byMs, isDown: false });
    this.clock.set(byMs, false);
    void this.#broker!.health;
    await this.machine.run(random);
    this.#client.confirm();
    await this.machine.run(random);
  }

  /** So much time passes without a broker, and the clock is set by so much meanwhile. */
  #pass(downMs: number, setMs: number): void {
    this.clock.pass(downMs);
    if (setMs === 0) return;
    this.history.add({ kind: 'clock-set', byMs: setMs, isDown: true });
    this.clock.set(setMs, true);
  }

  // ---- reading everything

  /** Lets everything come to rest and reads all content. */
  async look(random: SeededRandom): Promise<void> {
    await this.machine.run(random);
    if (this.#failed) await this.#exit(random);
    const broker = this.#broker!;
    if (this.#seesAnswersOnly) return this.#noteAccounts(broker);
    const before = this.#stateOf(broker);
    let done = false;
    const reading = this.#read(broker).finally(() => (done = true));
    reading.catch(() => {});
    await this.machine.runUntil(random, () => done);
    if (this.#failed) return this.#exit(random);
    const facts = await reading.catch((error: unknown) => {
      if (this.#disk.takeFaults() === 0) throw error;
    });
    // The disk refused, as the script asked for, or something happened meanwhile: once more.
    if (!facts || this.#stateOf(broker) !== before) return this.look(random);
    for (const fact of facts) this.history.add(fact);
    this.#noteAccounts(broker);
    const present = [...broker.topics.values()];
    this.history.add({
      kind: 'topics',
      topics: present.map(keyOf),
      groups: present.flatMap(({ groups }) => [...groups.values()].map(groupKeyOf)),
    });
  }

  /** SQS clients have no place to look but their queues, which they empty at the end. */
  get #seesAnswersOnly(): boolean {
    return this.#script.door === 'sqs';
  }

  #noteAccounts(broker: Broker): void {
    for (const text of wrongAccounts(broker)) this.history.add({ kind: 'problem', text });
  }

  /** Differs when something happened that a look would see. */
  #stateOf(broker: Broker): string {
    const partitions = [...broker.topics.values()].flatMap((topic) =>
      topic.partitions.opened.map(({ firstOffset, nextOffset, count }) => [firstOffset, nextOffset, count]),
    );
    return JSON.stringify([this.history.events.length, partitions]);
  }

  async #read(broker: Broker): Promise<Parameters<History['add']>[0][]> {
    const facts: Parameters<History['add']>[0][] = [];
    for (const topic of broker.topics.values()) {
      for (const partition of topic.partitions.opened.slice()) {
        await partition.accounting.run();
        const messages: Sighting[] = [];
        const note = (record: Record): void =>
          void messages.push(sight(record, partition.index, this.#client.plans, topic.name));
        for await (const record of partition.scan(0, { undecided: true })) note(record);
        facts.push({
          kind: 'inventory',
          topic: keyOf(topic),
          partition: partition.index,
          first: partition.firstOffset,
          next: partition.nextOffset,
          count: partition.count,
          ...(partition.durableEnd < partition.nextOffset ? { areSomeWaiting: true } : {}),
          messages,
          ...(partition.keyIndex
            ? { keys: [...partition.keys('>')].map(([key, { count }]) => [key, count] as const) }
            : {}),
        });
      }
      for (const group of topic.groups.values()) {
        const { inFlight, lag } = group.info();
        let removed = 0;
        for (const { pending, partition } of group.positions.opened)
          for (const { offset } of pending.values()) if (!partition.isLive(offset)) removed++;
        facts.push({
          kind: 'position',
          topic: keyOf(topic),
          group: groupKeyOf(group),
          inFlight,
          removed,
          lag,
        });
      }
    }
    return facts;
  }

  /**
   * Every group gets and acks all it can, past every timer; then a look, a last stop or crash, and another
   * look.
   */
  async finish(): Promise<void> {
    const random = new SeededRandom(this.#script.seed * 1000 + 999);
    this.#disk.takeFaults();
    await this.machine.run(random);
    if (this.#failed) await this.#exit(random);
    this.#client.drain();
    for (const ms of [100, 1000, 5000, 35_000, 35_000]) {
      await this.machine.wait(random, ms);
      await this.machine.run(random);
    }
    this.#client.confirm();
    await this.machine.run(random);
    this.#client.drained();
    await this.look(random);
    this.history.add({ kind: 'drained' });
    if (random.int(2) === 0) await this.#stop(random, 1);
    else
      await this.#crash(random, {
        kind: 'crash',
        power: random.int(2) === 0,
        downMs: 1,
        again: [],
      });
    await this.look(random);
    await settled();
  }
}

export function plansOf(script: Script): ReadonlyMap<number, PlannedMessage> {
  const plans = new Map<number, PlannedMessage>();
  for (const operation of script.operations) {
    if ('messages' in operation) for (const plan of operation.messages ?? []) plans.set(plan.id, plan);
  }
  return plans;
}
