import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom, type Random } from '../../src/util/index.ts';
import { BrokerProcess } from './broker-process.ts';
import { BrokerReader } from './broker-reader.ts';
import { addCounts, type CountsByProtocol, noCounts } from './client-queue.ts';
import { complaintsOf } from './complaints.ts';
import { History, type Violation } from './history.ts';
import { Workload } from './workload.ts';

export interface KillCyclesOptions {
  readonly cycles: number;
  readonly seed: number;
  /** For the data and the clients' logs. */
  readonly directory: string;
  /** After so many cycles everything is drained and checked as a whole, and new streams and clients begin. */
  readonly cyclesPerGeneration?: number;
  /** Messages a second of each publisher. */
  readonly rate?: number;
  readonly onProgress?: (line: string) => void;
}

/** When a broker is killed. */
export type Moment = 'under load' | 'during start' | 'during a checkpoint' | 'during a stop';

export interface KillCyclesResult {
  readonly cycles: number;
  readonly generations: number;
  readonly seconds: number;
  readonly moments: Readonly<Record<Moment, number>>;
  /** Looks into the broker after a restart that were not cut short by the next kill. */
  readonly readings: number;
  readonly published: number;
  readonly stored: number;
  readonly deliveries: number;
  readonly redelivered: number;
  readonly ackedDeliveries: number;
  /** Those of AMQP and SQS clients among them. */
  readonly ofQueues: CountsByProtocol;
  readonly violations: readonly Violation[];
  /** Damage and failures that the broker spoke of: a crash must not look like damage. */
  readonly complaints: readonly string[];
}

const loadMs = { min: 5, max: 500 };

/**
 * Kills brokers under load from real clients, starts them again, and compares the data with the answers that
 * the clients got.
 */
export async function runKillCycles(options: KillCyclesOptions): Promise<KillCyclesResult> {
  const run = new KillCycles(options);
  try {
    return await run.run();
  } finally {
    await run.end();
  }
}

class KillCycles {
  readonly #options: KillCyclesOptions;
  readonly #random: Random;
  readonly #history = new History();
  readonly #moments: Record<Moment, number> = {
    'under load': 0,
    'during start': 0,
    'during a checkpoint': 0,
    'during a stop': 0,
  };
  readonly #complaints: string[] = [];
  #broker!: BrokerProcess;
  #load!: Workload;
  #cycle = 0;
  #generation = 0;
  #looks = 0;
  #ofQueues = noCounts;
  #typicalStartMs = 300;

  constructor(options: KillCyclesOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<KillCyclesResult> {
    const { cycles, cyclesPerGeneration = 40, onProgress } = this.#options;
    const begin = performance.now();
    while (this.#cycle < cycles && this.#history.violations.length === 0) {
      await this.#beginGeneration();
      const end = Math.min(cycles, this.#cycle + cyclesPerGeneration);
      while (this.#cycle < end && this.#history.violations.length === 0) await this.#crash();
      await this.#endGeneration();
      const { stored, acked } = this.#history.counts;
      onProgress?.(
        `${this.#cycle} kills, ${stored} messages and ${acked} acks confirmed, ${this.#history.violations.length} violations, ${((performance.now() - begin) / 1000).toFixed(0)} s`,
      );
    }
    const { counts, violations, redelivered } = this.#history;
    return {
      cycles: this.#cycle,
      generations: this.#generation,
      seconds: (performance.now() - begin) / 1000,
      moments: this.#moments,
      readings: this.#looks,
      published: counts.intent,
      stored: counts.stored,
      deliveries: counts.delivered,
      redelivered,
      ackedDeliveries: counts.acked,
      ofQueues: this.#ofQueues,
      violations,
      complaints: this.#complaints,
    };
  }

  async end(): Promise<void> {
    await this.#load?.end();
    await this.#broker?.kill();
  }

  async #beginGeneration(): Promise<void> {
    const generation = ++this.#generation;
    const { directory, rate = 700 } = this.#options;
    const dataDirectory = join(directory, 'data');
    await mkdir(dataDirectory, { recursive: true });
    // The same data goes through both kinds.
    const kind = generation % 4 === 0 ? 'serve' : 'small';
    const args = ['--disk-free-min', '0', '--log-level', 'warn'];
    this.#broker = new BrokerProcess({ kind, dataDirectory, workDirectory: directory, args }, this.#broker);
    await this.#broker.start();
    const name = String(generation);
    this.#load = new Workload({ name, directory, rate, history: this.#history, hasQueues: true });
    await this.#load.start(this.#broker);
  }

  /**
   * Kills the running broker, starts it again, perhaps with another kill during the start, and checks the
   * data.
   */
  async #crash(): Promise<void> {
    await this.#killUnderLoad(this.#pickMoment());
    while (this.#cycle < this.#options.cycles && this.#random.next() < 0.15) {
      await this.#broker.spawn();
      await sleep(this.#random.next() * this.#typicalStartMs * 1.1);
      await this.#kill('during start');
    }
    const loaded = this.#load.loaded(this.#broker);
    loaded.catch(() => {});
    await this.#broker.start();
    this.#typicalStartMs = this.#broker.startMs;
    const look = this.#load.look(this.#broker);
    look.catch(() => {}); // heard of below
    await loaded;
    // Most lives last until they were looked at; some do not, and their losses show at the next look.
    if (this.#random.next() < 0.9) await look;
  }

  #pickMoment(): Moment {
    const dice = this.#random.next();
    return dice < 0.7 ? 'under load' : dice < 0.9 ? 'during a checkpoint' : 'during a stop';
  }

  async #killUnderLoad(moment: Moment): Promise<void> {
    const ms = loadMs.min + this.#random.int(loadMs.max - loadMs.min);
    if (moment === 'under load') await sleep(ms);
    else if (moment === 'during a checkpoint') {
      await this.#checkpoint(ms);
      // A few milliseconds are about as long as one takes.
      if (this.#random.next() < 0.7) await sleep(this.#random.int(8));
    } else {
      await sleep(ms / 4);
      this.#broker.signal('SIGTERM');
      await sleep(this.#random.next() * 150);
    }
    await this.#kill(moment);
  }

  /** Waits until a checkpoint is being written, or the time is up. */
  async #checkpoint(msMax: number): Promise<void> {
    let watcher: FSWatcher | undefined;
    await Promise.race([
      sleep(msMax * 2),
      new Promise<void>((resolve) => {
        watcher = watch(join(this.#options.directory, 'data'), (_, file) => {
          if (file?.startsWith('checkpoint-')) resolve();
        });
        watcher.on('error', () => {});
      }),
    ]);
    watcher?.close();
  }

  async #kill(moment: Moment): Promise<void> {
    this.#cycle++;
    this.#moments[moment]++;
    await this.#broker.kill();
    this.#listen();
  }

  #listen(): void {
    this.#complaints.push(...complaintsOf(this.#broker));
  }

  /**
   * Lets the clients finish, and checks everything from the first message on, before and after a clean stop.
   */
  async #endGeneration(): Promise<void> {
    if (this.#history.violations.length > 0) return;
    await this.#load.drain(this.#broker);
    await this.#broker.stop();
    this.#listen();
    await this.#broker.start();
    await this.#load.lookAtAll(this.#broker);
    this.#ofQueues = addCounts(this.#ofQueues, this.#load.queueCounts);
    await this.#load.remove(this.#broker);
    this.#looks += this.#load.looks;
    {
      await using reader = await BrokerReader.open(this.#broker.port);
      if ((await reader.streams()).length > 0)
        this.#history.report('nothing is invented', 'a stream that was deleted is there again');
    }
    await this.#broker.stop();
    this.#listen();
  }
}
