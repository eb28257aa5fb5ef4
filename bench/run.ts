import type { Case, Row, RowResult, Sample, Workbench } from './cases/index.ts';
import { settleDisk } from './disk.ts';
import type { Progress } from './progress.ts';
import type { Scratch } from './scratch.ts';
import type { Contender, ContenderName, ServerProcess } from './servers/index.ts';
import type { Settings } from './settings.ts';

/** The results of a case. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly rows: readonly RowResult[];
  readonly remarks: readonly string[];
}

interface Warm {
  readonly process: ServerProcess;
  readonly directory: string;
}

/** Servers that are this broker: they take part where it does. */
const ofPillarbox: ReadonlySet<ContenderName> = new Set(['before', 'users', 'configured']);

/** A run takes the measurements: row by row, and in each row the contenders in turn, A B A B. */
export class Run implements Workbench {
  readonly settings: Settings;
  readonly scratch: Scratch;
  readonly #contenders: readonly Contender[];
  readonly #progress: Progress;
  readonly #warm: Map<ContenderName, Warm> = new Map();

  constructor(parts: {
    settings: Settings;
    scratch: Scratch;
    contenders: readonly Contender[];
    progress: Progress;
  }) {
    this.settings = parts.settings;
    this.scratch = parts.scratch;
    this.#contenders = parts.contenders;
    this.#progress = parts.progress;
  }

  async measureCase(one: Case): Promise<CaseResult> {
    const rows: RowResult[] = [];
    for (const row of one.rows(this.settings)) rows.push(await this.#measureRow(one, row));
    for (const contender of this.#contenders) await this.#stop(contender);
    const { id, title, about } = one;
    return { id, title, about, rows, remarks: one.remarks?.(rows) ?? [] };
  }

  /** The number of measurements of the cases, for the progress bar. */
  countSteps(cases: readonly Case[]): number {
    const rows = cases.flatMap((one) => one.rows(this.settings));
    return rows.reduce((sum, row) => sum + this.#roundsOf(row) * this.#contendersOf(row).length, 0);
  }

  async server(contender: Contender): Promise<ServerProcess> {
    const running = this.#warm.get(contender.name);
    if (running !== undefined) return running.process;
    const directory = this.scratch.makeDirectory();
    const process = await contender.start(directory, this.scratch);
    this.#warm.set(contender.name, { process, directory });
    return process;
  }

  settleDisk(): void {
    settleDisk(this.scratch.parent);
  }

  async #measureRow(one: Case, row: Row): Promise<RowResult> {
    const contenders = this.#contendersOf(row);
    const samples: Partial<Record<ContenderName, Sample[]>> = {};
    const failures: Partial<Record<ContenderName, string>> = {};
    const rounds = this.#roundsOf(row);
    for (let round = row.hasWarmUp ? -1 : 0; round < rounds; round++) {
      for (const contender of contenders) {
        const { name } = contender;
        const isWarmUp = round < 0;
        if (failures[name] === undefined) {
          this.#progress.show(`${one.id}, ${row.label}: ${name}${isWarmUp ? ', warming up' : ''}`);
          try {
            const seconds = isWarmUp ? this.settings.warmUpSeconds : this.settings.seconds;
            const sample = await row.measure(contender, this, seconds);
            if (!isWarmUp) (samples[name] ??= []).push(sample);
          } catch (error) {
            failures[name] = error instanceof Error ? error.message : String(error);
            this.#progress.say(`${one.id}, ${row.label}: ${name} failed: ${failures[name]}`);
            await this.#stop(contender);
          }
        }
        if (!isWarmUp) this.#progress.step();
      }
    }
    return { label: row.label, metrics: row.metrics, samples, failures };
  }

  async #stop(contender: Contender): Promise<void> {
    const running = this.#warm.get(contender.name);
    if (running === undefined) return;
    this.#warm.delete(contender.name);
    await running.process.stop();
    this.scratch.removeDirectory(running.directory);
    this.settleDisk();
  }

  #contendersOf(row: Row): readonly Contender[] {
    return this.#contenders.filter(({ name }) =>
      row.contenders.includes(ofPillarbox.has(name) ? 'pillarbox' : name),
    );
  }

  #roundsOf(row: Row): number {
    return Math.min(this.settings.rounds, row.roundsMax ?? Infinity);
  }
}
