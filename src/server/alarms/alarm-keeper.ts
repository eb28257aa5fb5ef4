import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { readAlarms, writeAlarms } from './alarm-file.ts';
import type { AlarmWatch } from './watch.ts';

/** The keeper brings the alarms that fire over a restart, so that they are told once. */
export class AlarmKeeper {
  readonly #watch: AlarmWatch;
  readonly #path: string;
  readonly #log: Log;
  /** Whether there was a change since the file was written. */
  #isDirty = false;
  #hasFile = false;
  #written: Promise<void> = Promise.resolve();

  constructor(watch: AlarmWatch, path: string, log: Log) {
    this.#watch = watch;
    this.#path = path;
    this.#log = log;
    watch.subscribe(() => (this.#isDirty = true));
  }

  async restore(): Promise<void> {
    try {
      const alarms = await readAlarms(this.#path);
      this.#watch.restore(alarms);
      this.#hasFile = alarms.length > 0;
    } catch (error) {
      this.#log.warn(
        `alarms that fired before the start are told again: ${this.#path} cannot be used (${messageOf(error)})`,
      );
    }
  }

  /** Writes the file, if there was a change. */
  keep(): void {
    if (this.#isDirty) this.#write();
  }

  /** What the alarms remember may have changed without a change of theirs. */
  async close(): Promise<void> {
    if (this.#hasFile || this.#isDirty) this.#write();
    await this.#written;
  }

  /** One write at a time. */
  #write(): void {
    this.#isDirty = false;
    this.#hasFile = true;
    const alarms = this.#watch.saved();
    this.#written = this.#written
      .then(() => writeAlarms(this.#path, alarms))
      .catch((error: unknown) =>
        this.#log.warn(`the alarms were not written to ${this.#path} (${messageOf(error)})`),
      );
  }
}
