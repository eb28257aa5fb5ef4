/** Whether the process works. */
export interface AliveJson {
  readonly status: 'ok' | 'failed';
  /** The reason if it has failed. */
  readonly reason?: string;
}

/** Whether clients may be sent here, and the state of disk and memory. */
export interface ReadyJson {
  /** `degraded`: ready, but stored data is missing or damaged. */
  readonly status: 'ready' | 'degraded' | 'stopping' | 'not ready';
  readonly diskFull: boolean;
  readonly memoryFull: boolean;
  /** What to do if it is degraded. */
  readonly advice?: string;
  /**
   * The alarms that fire, if any: how many of each level, and their rules. `GET /api/v1/alarms` has the rest.
   */
  readonly alarms?: {
    readonly critical: number;
    readonly warning: number;
    readonly rules: readonly string[];
  };
}

/** A broker and its process. */
export interface ServerJson {
  readonly name: 'pillarbox';
  readonly version: string;
  /** The version of Node. */
  readonly node: string;
  readonly pid: number;
  readonly startedMs: number;
  readonly uptimeMs: number;
  readonly dataDirectory: string;
  readonly host: string;
  /** By protocol, for those that are switched on, and `admin`. */
  readonly ports: { readonly [protocol: string]: number };
  readonly maxPayloadBytes: number;
  readonly topics: number;
  readonly groups: number;
  /** The number of live subscriptions. */
  readonly subscriptions: number;
  readonly connections: number;
  readonly memory: {
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly externalBytes: number;
    readonly arrayBufferBytes: number;
  };
  readonly health: HealthJson;
  readonly stats: {
    readonly topics: number;
    readonly groups: number;
    readonly schedules: number;
    readonly delayed: number;
    /** The use and the limit of each budget. */
    readonly budgets: { readonly [name: string]: { readonly used: number; readonly limit: number } };
    readonly diskFreeBytes?: number | undefined;
    /** Time until the disk passes its watermark; absent if it is not getting closer. */
    readonly diskTimeToFullMs?: number | undefined;
    readonly log: LogJson;
  };
}

export interface HealthJson {
  readonly ready: boolean;
  readonly diskFull: boolean;
  readonly memoryFull: boolean;
  /** Why the log has failed. */
  readonly failed: string | null;
  /** Damage found since the start. */
  readonly damage: readonly { readonly kind: string; readonly message: string; readonly path: string }[];
  /** What to do about it. */
  readonly degraded: string | null;
  readonly clockJumps: number;
  readonly clockAheadMs: number;
}

/** Statistics of the log. */
interface LogJson {
  readonly commits: number;
  readonly commitBytes: number;
  readonly checkpoints: number;
  readonly journalLiveBytes: number;
  readonly journalDiskBytes: number;
  readonly segmentBytes: number;
  readonly unflushedBytes: number;
  readonly tailCacheBytes: number;
  readonly readCacheBytes: number;
  readonly openFiles: number;
  /** Indexes of segments that were found wrong, as after a crash, and made anew. */
  readonly indexesRebuilt: number;
  /** What the start read back. */
  readonly recovery: {
    readonly cleanStop: boolean;
    readonly journalBytes: number;
    readonly commits: number;
    readonly tornBytes: number;
    readonly ms: number;
  };
  /** Files that this run set aside. */
  readonly quarantined: readonly string[];
}
