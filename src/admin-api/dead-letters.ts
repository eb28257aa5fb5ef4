import type { MessageJson } from './messages.ts';

/** A dead letter and its cause. Fields are null if its headers do not have them. */
export interface DeadLetterJson extends MessageJson {
  readonly origin: {
    readonly topic: string | null;
    readonly group: string | null;
    readonly partition: number | null;
    readonly offset: number | null;
  };
  readonly cause: string | null;
  readonly deliveries: number | null;
  readonly firstDeliveredTime: string | null;
  readonly deadLetteredTime: string | null;
}

export interface DeadLetterTopicJson {
  readonly topic: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldestAgeMs: number | null;
  /** The groups whose dead letters it gets. The group `""` stands for the topic itself. */
  readonly groups: readonly { readonly topic: string; readonly group: string }[];
}

export interface DeadLetterTopicsJson {
  readonly topics: readonly DeadLetterTopicJson[];
}

/** The dead letters to move back, and their destination. Absent fields: all, each to its topic of origin. */
export interface RedriveJson {
  readonly limit?: number;
  readonly to?: string;
  readonly offsets?: readonly number[];
  /** Only those that it selects, 100,000 at most at a time. */
  readonly filter?: DeadLetterFilterJson;
}

/** Selects dead letters by their cause and the topic and group that they come from. */
export interface DeadLetterFilterJson {
  readonly cause?: string;
  readonly topic?: string;
  readonly group?: string;
}

/** The dead letters of one cause and origin. */
export interface DeadLetterCauseJson {
  readonly cause: string | null;
  readonly topic: string | null;
  readonly group: string | null;
  readonly count: number;
  /** When the first and the last of them died. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The offset of one of them. */
  readonly example: number;
}

export interface DeadLetterCausesJson {
  /** The most frequent first. */
  readonly causes: readonly DeadLetterCauseJson[];
  /** False: there are more dead letters than were looked at. */
  readonly isComplete: boolean;
}

export interface RedrivenJson {
  readonly redriven: number;
  /** The number of dead letters left in the topic. */
  readonly left: number;
  /** Dead letters whose move was refused, by topic and reason. */
  readonly stayed: readonly {
    readonly topic: string;
    readonly code: string;
    readonly message: string;
    readonly count: number;
  }[];
}
