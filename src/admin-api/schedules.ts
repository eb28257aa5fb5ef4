import type { HeaderJson } from './messages.ts';

/** A schedule to define: the message, and one of `cron`, `everyMs` and `atMs`. */
export interface ScheduleToDefineJson {
  readonly name: string;
  readonly topic: string;
  readonly key?: string;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly value?: unknown;
  /** Default: `utf8` for a text, `json` for anything else. */
  readonly encoding?: 'utf8' | 'json' | 'base64';
  /** Each message expires so long after it was published. */
  readonly ttlMs?: number;
  readonly priority?: number;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly everyMs?: number;
  /** Times are milliseconds since the epoch, or ISO 8601. */
  readonly atMs?: number | string;
  readonly startMs?: number | string;
  readonly endMs?: number | string;
  readonly count?: number;
  readonly jitterMs?: number;
  readonly missed?: 'once' | 'all' | 'skip';
  readonly whenEnded?: 'keep' | 'delete';
}

/** A schedule, with its figures. Fields that do not apply are null. */
export interface ScheduleJson {
  readonly name: string;
  readonly topic: string;
  readonly status: 'active' | 'paused' | 'ended';
  readonly key: string | null;
  readonly headers: readonly HeaderJson[];
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64' | null;
  readonly ttlMs: number | null;
  readonly priority: number | null;
  readonly cron: string | null;
  readonly timeZone: string | null;
  readonly everyMs: number | null;
  readonly atMs: number | null;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly count: number | null;
  readonly jitterMs: number | null;
  readonly missed: 'once' | 'all' | 'skip';
  readonly whenEnded: 'keep' | 'delete';
  readonly createdMs: number;
  readonly nextMs: number | null;
  /** The times in ISO 8601. */
  readonly nextTime: string | null;
  readonly lastMs: number | null;
  readonly lastTime: string | null;
  /** Messages published so far. */
  readonly runs: number;
  /** Runs that were passed over so far. */
  readonly missedRuns: number;
  /** Why the topic refused the last attempt, which is repeated. */
  readonly failure: { readonly message: string; readonly atMs: number; readonly attempts: number } | null;
  /** The message of the topic that the schedule lives with. */
  readonly carrier: { readonly partition: number; readonly offset: number } | null;
}

export interface SchedulesJson {
  readonly schedules: readonly ScheduleJson[];
}

export interface ScheduleDeletedJson {
  readonly deleted: string;
}

/** The place of the message that was published. */
export interface ScheduleRunJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
