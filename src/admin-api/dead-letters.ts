import type { MessageJson } from './messages.ts';

/** A dead letter and its cause; null where its headers do not say. */
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
  /** The groups that fill it. A group `""` stands for the topic itself. */
  readonly groups: readonly { readonly topic: string; readonly group: string }[];
}

export interface DeadLetterTopicsJson {
  readonly topics: readonly DeadLetterTopicJson[];
}

/** Which dead letters to put back, and where to; absent: all of them, where each came from. */
export interface RedriveJson {
  readonly limit?: number;
  readonly to?: string;
  readonly offsets?: readonly number[];
}

export interface RedrivenJson {
  readonly redriven: number;
  /** Dead letters that the topic holds now. */
  readonly left: number;
  /** Those that were to be moved and were refused, by topic and reason. */
  readonly stayed: readonly {
    readonly topic: string;
    readonly code: string;
    readonly message: string;
    readonly count: number;
  }[];
}
