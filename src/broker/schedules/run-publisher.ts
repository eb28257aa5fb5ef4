import type { Header, Record } from '../../log/index.ts';
import { ByteWriter, rfc3339, type Clock, type Random } from '../../util/index.ts';
import { EntryKind } from '../entries.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { StoredMessage } from '../model.ts';
import { recordOf } from '../partitions/message.ts';
import type { PublishListener, PublishOptions } from '../topics/publishes.ts';
import { lateMsMax, ScheduleHeader, type ScheduleConfig } from './schedule-config.ts';
import { writeScheduleTicked } from './schedule-entries.ts';
import type { Schedule, ScheduleState } from './schedule.ts';
import type { Timetables } from './timetables.ts';

/** The services that the broker offers to the runs of schedules. */
export interface RunPublisherHost {
  readonly clock: Clock;
  readonly random: Random;
  /** Adds an entry to the open commit. */
  record(kind: number, id: number, payload: Uint8Array): void;
}

/** A run: its time by the schedule, and the state of the schedule after it. */
interface Run {
  readonly timeMs: number;
  /** False: it was missed, and is passed over. */
  readonly isPublished: boolean;
  readonly after: ScheduleState;
}

const deaf: PublishListener<undefined> = { published: () => {}, refused: () => {} };

/** Publishes the runs of schedules: the message and the schedule's state after it are in one commit. */
export class RunPublisher {
  readonly #host: RunPublisherHost;
  readonly #timetables: Timetables;
  readonly #scratch = new ByteWriter();
  readonly counts: { runs: number; missed: number; failures: number } = { runs: 0, missed: 0, failures: 0 };

  constructor(host: RunPublisherHost, timetables: Timetables) {
    this.#host = host;
    this.#timetables = timetables;
  }

  /** The part of the state about the next run. */
  nextOf({ jitterMs }: ScheduleConfig, nextMs: number | undefined): Pick<ScheduleState, 'nextMs' | 'dueMs'> {
    if (nextMs === undefined) return {};
    const lateMs = jitterMs === undefined ? 0 : Math.floor(this.#host.random.next() * (jitterMs + 1));
    return { nextMs, dueMs: nextMs + lateMs };
  }

  /**
   * Publishes what is due of a schedule. Returns why the topic refuses it, in which case nothing changes.
   * `source`: the message that gives value and headers, if the schedule has one.
   */
  publishDue(schedule: Schedule, source: StoredMessage | undefined): BrokerError | undefined {
    const run = this.#dueRun(schedule);
    const { runs, missed } = schedule.state;
    if (run.isPublished) {
      const refusal = this.#publish(schedule, run, source, deaf, undefined);
      if (refusal) return refusal;
    }
    this.counts.runs += run.after.runs - runs;
    this.counts.missed += run.after.missed - missed;
    this.#ticked(schedule, run.after);
    return undefined;
  }

  /** Publishes once, outside the timetable. Tells the listener how it ended. */
  publishNow<T>(
    schedule: Schedule,
    source: StoredMessage | undefined,
    listener: PublishListener<T>,
    token: T,
  ): void {
    const timeMs = Math.floor(this.#host.clock.now());
    const { nextMs, dueMs, ...counts } = schedule.state;
    const runs = counts.runs + 1;
    const isOver = runs >= (schedule.config.count ?? Infinity);
    const next = isOver || nextMs === undefined ? {} : { nextMs, dueMs: dueMs! };
    const after = { ...counts, runs, lastMs: timeMs, ...next };
    const refusal = this.#publish(schedule, { timeMs, isPublished: true, after }, source, listener, token);
    if (refusal) return listener.refused(token, refusal);
    this.counts.runs++;
    this.#ticked(schedule, after);
  }

  #dueRun({ config, state }: Schedule): Run {
    const { missed: policy, count = Infinity, jitterMs = 0 } = config;
    const timetable = this.#timetables.of(config);
    const timeMs = state.nextMs!;
    // An interval follows steady time, which may be ahead of the clock.
    const nowMs = Math.max(timeMs, Math.floor(this.#host.clock.now()));
    const due =
      policy === 'all'
        ? { lastMs: timeMs, others: 0, nextMs: timetable.following(timeMs) }
        : timetable.due(timeMs, nowMs);
    const isPublished = policy !== 'skip' || nowMs - due.lastMs <= lateMsMax + jitterMs;
    const runs = state.runs + (isPublished ? 1 : 0);
    const missed = state.missed + due.others + (isPublished ? 0 : 1);
    const lastMs = isPublished ? nowMs : state.lastMs;
    const after = {
      runs,
      missed,
      ...(lastMs === undefined ? {} : { lastMs }),
      ...this.nextOf(config, runs >= count ? undefined : due.nextMs),
    };
    return { timeMs: due.lastMs, isPublished, after };
  }

  #publish<T>(
    schedule: Schedule,
    run: Run,
    source: StoredMessage | undefined,
    listener: PublishListener<T>,
    token: T,
  ): BrokerError | undefined {
    const { topic, config } = schedule;
    const record = recordOfRun(config, run, source);
    const admission = topic.admit(record, publishOptions(config));
    if (admission.kind === 'refused') return admission.error;
    if (admission.kind === 'waits')
      return admission.full ?? topicError(topic, 'topic-full', 'has publishes waiting that came before');
    topic.append(admission, record, listener, token);
    return undefined;
  }

  #ticked(schedule: Schedule, after: ScheduleState): void {
    schedule.state = after;
    schedule.failure = undefined;
    if (!schedule.isDeleted) this.record(schedule); // else its message replaced the one that it lived with
  }

  /** Adds the state of a schedule to the open commit. */
  record(schedule: Schedule): void {
    writeScheduleTicked(this.#scratch.reset(), schedule.state);
    this.#host.record(EntryKind.scheduleTicked, schedule.id, this.#scratch.view());
  }
}

function recordOfRun(config: ScheduleConfig, run: Run, source: StoredMessage | undefined): Record {
  const { key, value, encoding, headers = [] } = config.message;
  const own = headers.map(([name, text]) => ({ name, value: Buffer.from(text, 'utf8') }));
  const without = config.source?.without ?? [];
  const sourced = source?.headers.filter(({ name }) => !without.some((start) => startsWith(name, start)));
  return recordOf({
    ...(key === undefined ? {} : { key }),
    value: source ? source.value : value === undefined ? null : Buffer.from(value, encoding ?? 'utf8'),
    headers: [...(sourced ?? own), ...runHeaders(config, run)],
  });
}

function publishOptions({
  message: { replaces, ttlMs, priority },
}: ScheduleConfig): PublishOptions | undefined {
  if (replaces === undefined && ttlMs === undefined && priority === undefined) return undefined;
  return {
    ...(replaces === undefined ? {} : { replaces }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function startsWith(name: string, start: string): boolean {
  return name.slice(0, start.length).toLowerCase() === start.toLowerCase();
}

function runHeaders({ name, headers }: ScheduleConfig, { timeMs, after }: Run): Header[] {
  const header = (name: string, text: string): Header => ({ name, value: Buffer.from(text, 'utf8') });
  if (headers) {
    const next = after.nextMs === undefined ? headers.ended : rfc3339(after.nextMs).replace('.000Z', 'Z');
    return [...headers.fixed.map(([fixed, text]) => header(fixed, text)), header(headers.next, next)];
  }
  return [header(ScheduleHeader.name, name), header(ScheduleHeader.time, rfc3339(timeMs))];
}
