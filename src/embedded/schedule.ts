import type {
  MissedRuns,
  Published,
  Schedule as CoreSchedule,
  ScheduledMessage,
  ScheduleFailure,
  ScheduleOptions,
  ScheduleTimes,
} from '../broker/index.ts';
import { encodeBy, json, type AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { BoxError } from './errors.ts';
import { headerList, type HeadersInit } from './headers.ts';
import {
  checkOptions,
  checkValue,
  codecLike,
  filledText,
  text,
  time,
  wholeNumber,
  type Check,
  type Checks,
} from './options.ts';

/**
 * What a schedule publishes, and when: by a cron expression, at an interval, or once. Exactly one of `cron`,
 * `everyMs` and `atMs` is given.
 */
export interface ScheduleSettings<T = unknown> extends ScheduleTimes {
  readonly topic: string;
  readonly value: T;
  readonly key?: string;
  readonly headers?: HeadersInit;
  /** How the value is written. Default: as JSON. */
  readonly codec?: AnyCodec;
  /** Each message expires so long after it was published. */
  readonly ttlMs?: number;
  /** The priority of each message, in a topic with `priorities`. */
  readonly priority?: number;
  /** The schedule ends after so many runs. */
  readonly count?: number;
  /** Each run is late by a random part of this time, so that many schedules do not publish at once. */
  readonly jitterMs?: number;
  /**
   * What is published for runs that were missed because the broker was down: `once`, one message for all of
   * them (the default); `all`, one for each; `skip`, none.
   */
  readonly missed?: MissedRuns;
  /** Whether a schedule that has ended stays in the list (the default) or is deleted. */
  readonly whenEnded?: 'keep' | 'delete';
}

const oneOf =
  (...choices: readonly string[]): Check =>
  (value) =>
    choices.includes(value as string) ? undefined : `one of ${choices.join(', ')}`;

const settingChecks: Checks<ScheduleSettings> = {
  topic: filledText,
  value: () => undefined,
  key: text,
  headers: (value) => (typeof value === 'object' && value !== null ? undefined : 'an object or pairs'),
  codec: codecLike,
  ttlMs: wholeNumber(1),
  priority: wholeNumber(),
  cron: filledText,
  timeZone: filledText,
  everyMs: wholeNumber(1),
  atMs: time,
  startMs: time,
  endMs: time,
  count: wholeNumber(1),
  jitterMs: wholeNumber(),
  missed: oneOf('once', 'all', 'skip'),
  whenEnded: oneOf('keep', 'delete'),
};

/** The broker's options for these settings, which are checked. */
export async function scheduleOptions(name: string, settings: ScheduleSettings): Promise<ScheduleOptions> {
  checkValue('schedule()', 'the name', name, filledText);
  checkOptions('schedule()', settings, settingChecks);
  if (settings.topic === undefined)
    throw new BoxError('option-invalid', `schedule() needs the topic of schedule "${name}".`);
  const { value, key, headers, codec = json(), ttlMs, priority, ...options } = settings;
  const encoded = await encodeBy(codec, value);
  const pairs = headers === undefined ? [] : headerList(headers);
  const message: ScheduledMessage = {
    ...(key === undefined ? {} : { key }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(priority === undefined ? {} : { priority }),
    ...(pairs.length === 0
      ? {}
      : { headers: pairs.map(({ name: header, value: bytes }) => [header, textOf(bytes)] as const) }),
    ...(typeof encoded === 'string'
      ? { value: encoded }
      : { value: Buffer.from(encoded).toString('base64'), encoding: 'base64' }),
  };
  return { name, ...options, message };
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('utf8');
}

/**
 * A schedule publishes a message to its topic at times of its own. It is stored: it goes on after a restart,
 * and each run publishes once.
 *
 * ```ts
 * import { open, VirtualClock } from 'pillarbox';
 *
 * const clock = new VirtualClock();
 * await using box = await open({ clock });
 * const reports = await box.topic('reports');
 * const daily = await box.schedule('daily report', {
 *   topic: 'reports',
 *   value: { kind: 'daily' },
 *   cron: '0 7 * * *',
 *   timeZone: 'Europe/Berlin',
 * });
 * const group = await reports.group('printer');
 * const report = group.next();
 * clock.advance(24 * 3_600_000);
 * console.log((await report)?.value, daily.runs); // prints: { kind: 'daily' } 1
 *
 * await daily.pause();
 * await daily.run(); // now, besides its times
 * console.log(daily.status, box.schedules.get('daily report')?.runs); // prints: paused 2
 * ```
 */
export class Schedule {
  readonly #context: BoxContext;
  readonly #core: CoreSchedule;

  constructor(context: BoxContext, core: CoreSchedule) {
    this.#context = context;
    this.#core = core;
  }

  get name(): string {
    return this.#core.name;
  }

  get topic(): string {
    return this.#core.topic.name;
  }

  /** `ended`: it runs no more, because its count or its end is reached. */
  get status(): 'active' | 'paused' | 'ended' {
    return this.#core.status;
  }

  /** Time of the next run, in milliseconds since the epoch; undefined if there is none. */
  get nextMs(): number | undefined {
    return this.#core.state.nextMs;
  }

  /** When the last message was published, in milliseconds since the epoch. */
  get lastMs(): number | undefined {
    return this.#core.state.lastMs;
  }

  /** Messages published so far. */
  get runs(): number {
    return this.#core.state.runs;
  }

  /** Runs that were passed over so far. */
  get missed(): number {
    return this.#core.state.missed;
  }

  /** Why the topic refused the last attempt, which is repeated; undefined if it did not. */
  get failure(): ScheduleFailure | undefined {
    return this.#core.failure;
  }

  /** Holds the schedule back until `resume()`. Resolves once that is on disk. */
  async pause(): Promise<void> {
    await this.#context.broker.schedules.pause(this.name);
  }

  /** Lets it run again, from its first run after now. Resolves once that is on disk. */
  async resume(): Promise<void> {
    await this.#context.broker.schedules.resume(this.name);
  }

  /** Publishes its message now, whether or not it is paused. Its times stay as they are. */
  run(): Promise<Published> {
    return this.#context.broker.schedules.run(this.name);
  }

  /** Deletes the schedule. Resolves once that is on disk. */
  delete(): Promise<void> {
    return this.#context.broker.schedules.delete(this.name);
  }
}
