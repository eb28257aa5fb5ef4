/** The history of a topic, a group, or of all of them. Values are null where there is no sample. */
export interface HistoryJson {
  /** The last hour, if the step is 10 s. */
  readonly fine: TrackJson;
  /** The last day: means of 30 fine steps. */
  readonly coarse: TrackJson;
}

/** A value for each step, oldest first. */
export interface TrackJson {
  /** The start of the first step. */
  readonly startMs: number;
  readonly stepMs: number;
  /** Messages in per second. */
  readonly in: readonly (number | null)[];
  /** Messages delivered per second; of a group: answered. */
  readonly out: readonly (number | null)[];
  /** Messages that wait: the lag of the slowest group, or of the group. */
  readonly level: readonly (number | null)[];
}
