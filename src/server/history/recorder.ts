import { join } from 'node:path';
import type { Broker, Group, Topic } from '../../broker/index.ts';
import { inTurns, type TurnTaker } from '../../protocols/index.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { QuietTopics } from '../quiet-topics.ts';
import type { SyncTimes } from '../sync-times.ts';
import { History, type HistoryOptions, type SeriesKey } from './history.ts';
import { historyFileName, readHistory, writeHistory } from './history-file.ts';
import { RecentSyncs } from './recent-syncs.ts';

/** How often the history is written to its file. A crash loses as much of it. */
const saveMs = 300_000;

/** The key of the whole broker: no topic has an empty name. */
export const brokerKey: SeriesKey = { topic: '', group: '', createdMs: 0 };

export function keyOfTopic(topic: Topic): SeriesKey {
  return { topic: topic.name, group: '', createdMs: topic.createdMs };
}

export function keyOfGroup(group: Group): SeriesKey {
  return { topic: group.topic.name, group: group.name, createdMs: group.createdMs };
}

/** The backlog of a topic: the messages that its slowest group has not got yet; null without a group. */
export function backlogOf(topic: Topic): number | null {
  let backlog: number | null = null;
  for (const group of topic.groups.values()) backlog = Math.max(backlog ?? 0, group.info().durableLag);
  return backlog;
}

/** Of all topics, in one sample. */
interface Sums {
  in: number;
  out: number;
  level: number;
}

/** The recorder takes the samples of the history, and keeps them in a file while the server runs. */
export class HistoryRecorder {
  readonly history: History;
  readonly recentSyncs: RecentSyncs;
  readonly #broker: Broker;
  /** Undefined: the history is not kept over a restart. */
  readonly #path: string | undefined;
  readonly #log: Log;
  readonly #quiet = new QuietTopics();
  #saving: NodeJS.Timeout | undefined;
  #saved: Promise<void> = Promise.resolve();

  constructor(
    broker: Broker,
    syncTimes: SyncTimes,
    options: HistoryOptions & { readonly directory: string | undefined; readonly log: Log },
  ) {
    this.#broker = broker;
    this.history = new History(options);
    this.recentSyncs = new RecentSyncs(syncTimes);
    this.#path = options.directory === undefined ? undefined : join(options.directory, historyFileName);
    this.#log = options.log;
  }

  async start(): Promise<void> {
    if (this.#path === undefined) return;
    const problem = await readHistory(this.#path, this.history);
    if (problem !== undefined)
      this.#log.warn(`the history of rates begins anew: ${this.#path} cannot be used (${problem})`);
    this.#saving = setInterval(() => this.#save(), saveMs);
    this.#saving.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#saving);
    if (this.#saving !== undefined) this.#save();
    await this.#saved;
  }

  /** Takes a sample of everything, in turns with other work. */
  async sample(nowMs: number, taker: TurnTaker): Promise<void> {
    this.recentSyncs.note(nowMs);
    const { history } = this;
    const all = { in: 0, out: 0, level: 0 };
    await inTurns(this.#broker.topics.values(), taker, (topic) =>
      this.#quiet.has(topic) ? undefined : this.#sampleTopic(topic, nowMs, taker, all),
    );
    if (taker.closed) return;
    history.note(brokerKey, nowMs, { in: tidy(all.in), out: tidy(all.out), level: all.level });
    history.forget((key) => this.#isGone(key));
  }

  async #sampleTopic(topic: Topic, nowMs: number, taker: TurnTaker, all: Sums): Promise<void> {
    const { history } = this;
    const { inPerSecond } = topic.stats();
    let out = 0;
    let level = 0;
    let hasGroupSeries = false;
    await inTurns(topic.groups.values(), taker, (group) => {
      const stats = group.stats();
      out += stats.deliveredPerSecond;
      level = Math.max(level, stats.lag);
      history.note(keyOfGroup(group), nowMs, {
        in: tidy(stats.inPerSecond),
        out: tidy(stats.ackedPerSecond),
        level: stats.lag,
      });
      hasGroupSeries ||= history.of(keyOfGroup(group)) !== undefined;
    });
    if (taker.closed) return;
    all.in += inPerSecond;
    all.out += out;
    all.level += level;
    history.note(keyOfTopic(topic), nowMs, { in: tidy(inPerSecond), out: tidy(out), level });
    const hasSeries = history.of(keyOfTopic(topic)) !== undefined || hasGroupSeries;
    this.#quiet.note(topic, !hasSeries && level === 0 && tidy(inPerSecond) + tidy(out) === 0);
  }

  #isGone({ topic: name, group, createdMs }: SeriesKey): boolean {
    if (name === '') return false;
    const topic = this.#broker.topic(name);
    const owner = group === '' ? topic : topic?.groups.get(group);
    return owner?.createdMs !== createdMs;
  }

  /** One write at a time. */
  #save(): void {
    const path = this.#path;
    if (path === undefined || this.history.size === 0) return;
    this.#saved = this.#saved
      .then(() => writeHistory(path, this.history))
      .catch((error: unknown) =>
        this.#log.warn(`the history of rates was not written to ${path} (${messageOf(error)})`),
      );
  }
}

/** Averages fade out without an end; what is less than a message in ten minutes is none. */
function tidy(perSecond: number): number {
  return perSecond < 0.0017 ? 0 : perSecond;
}
