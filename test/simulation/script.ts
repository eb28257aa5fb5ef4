import type {
  CollectorOptions,
  GroupOptions,
  GroupStart,
  PostponeScope,
  PublishToAllMode,
  TopicConfig,
  TopicOptions,
  UniqueOptions,
} from '../../src/broker/index.ts';
import type { AmqpStep } from './amqp-script.ts';
import type { KafkaStep } from './kafka-script.ts';
import type { LaterAction } from './later-script.ts';
import type { SqsStep } from './sqs-script.ts';

/**
 * A script has everything that happens in one simulated life of a broker, as data: the requests of clients,
 * how far the machine gets in between, the faults of the disk, the power losses. The same script always makes
 * the same run, so it can be shortened and replayed.
 */
export interface Script {
  /** Seeds the disk and the broker's own chance. */
  readonly seed: number;
  /** Limits of the log, tiny, so that files are rolled, evicted, compacted and recycled all the time. */
  readonly log: LogLimits;
  /**
   * How clients reach the broker: by its own calls, or as NATS, Kafka, AMQP or SQS clients (see
   * nats-script.ts, kafka-script.ts, amqp-script.ts, sqs-script.ts).
   */
  readonly door?: Door;
  /**
   * After a power loss, and sometimes after a kill, the broker starts where its lock does not reach back:
   * after a reboot, or on another machine. It takes the directory over from an owner that is silent.
   */
  readonly movesOn?: true;
  readonly operations: readonly Operation[];
}

export type Door = 'nats' | 'kafka' | 'amqp' | 'sqs';

export interface LogLimits {
  readonly journalFileBytes: number;
  readonly checkpointBytes: number;
  readonly segmentBytesMax: number;
  readonly indexIntervalBytes: number;
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
  readonly tailCacheBytesMax: number;
  readonly readCacheBytesMax: number;
  readonly unflushedBytesMax: number;
  readonly commitBytesMax: number;
  readonly openFilesMax: number;
}

/** One thing that happens, and how the machine goes on afterwards. */
export type Operation = Step & Action;

export interface Step {
  /** Seeds every choice made until the next operation: which call of the disk completes first, and so on. */
  readonly turn: number;
  /** So many steps of the machine follow; -1 = until nothing is left to do. */
  readonly steps: number;
  /** The client asks to be told when this is on disk. */
  readonly sync?: boolean;
}

export type Action =
  | { readonly kind: 'create-topic'; readonly options: TopicOptions }
  | { readonly kind: 'update-topic'; readonly topic: string; readonly change: Partial<TopicConfig> }
  | { readonly kind: 'delete-topic'; readonly topic: string }
  | { readonly kind: 'create-group'; readonly topic: string; readonly options: GroupOptions }
  | {
      readonly kind: 'update-group';
      readonly topic: string;
      readonly group: string;
      readonly change: Partial<GroupOptions>;
    }
  | { readonly kind: 'delete-group'; readonly topic: string; readonly group: string }
  | {
      readonly kind: 'reset-group';
      readonly topic: string;
      readonly group: string;
      readonly start: GroupStart;
    }
  | { readonly kind: 'pause-group'; readonly topic: string; readonly group: string; readonly forMs?: number }
  | { readonly kind: 'resume-group'; readonly topic: string; readonly group: string }
  | {
      readonly kind: 'attach';
      readonly topic: string;
      readonly group: string;
      /** How many messages the consumer takes at once; an answer makes room for the next. */
      readonly credit: number;
      /** It brings a wait of its own. */
      readonly ackWaitMs?: number;
      readonly priority?: number;
      readonly member?: string;
      readonly isExclusive?: boolean;
    }
  | {
      readonly kind: 'detach';
      readonly topic: string;
      readonly group: string;
      /** It gives back its messages. */
      readonly held?: 'release';
    }
  | { readonly kind: 'publish'; readonly topic: string; readonly messages: readonly PlannedMessage[] }
  | {
      readonly kind: 'answer';
      readonly topic: string;
      readonly group: string;
      readonly answer: Answer;
      /** Which of the unanswered deliveries, as a share of their list in [0, 1). */
      readonly pick: number;
      readonly count: number;
      readonly delayMs?: number;
    }
  | { readonly kind: 'redrive'; readonly topic: string; readonly limit?: number }
  | {
      readonly kind: 'purge';
      readonly topic: string;
      readonly partition: number;
      readonly pattern?: string;
      readonly keep?: number;
      /** The first offset that stays, as a share of the offsets there are. */
      readonly before?: number;
    }
  | { readonly kind: 'remove'; readonly topic: string; readonly partition: number; readonly pick: number }
  | QueueAction
  | LaterAction
  | { readonly kind: 'wait'; readonly ms: number }
  /** The wall clock is set: while the broker is up, or while it is down. */
  | { readonly kind: 'set-clock'; readonly byMs: number; readonly down?: 'stop' | 'crash' }
  /** Steps that only Kafka clients have. */
  | { readonly kind: 'kafka'; readonly step: KafkaStep }
  /** Steps of AMQP clients; a publish brings its messages, a copy of each for every queue. */
  | {
      readonly kind: 'amqp';
      readonly step: AmqpStep;
      readonly messages?: readonly PlannedMessage[];
    }
  /** Steps of SQS clients. */
  | { readonly kind: 'sqs'; readonly step: SqsStep }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'compact' }
  /** A clean stop and start. */
  | { readonly kind: 'stop'; readonly downMs: number; readonly look: boolean }
  | Crash
  | Fault;

/** Actions of clients that use the broker's own calls for queues. */
export type QueueAction =
  | { readonly kind: 'define-queue'; readonly options: TopicOptions; readonly group: Partial<GroupOptions> }
  | {
      readonly kind: 'publish-to-all';
      readonly mode: PublishToAllMode;
      readonly topics: readonly string[];
      /**
       * One for each topic, all of the same content: the first names the others (see
       * {@link PlannedMessage.copies}).
       */
      readonly messages: readonly PlannedMessage[];
    }
  | {
      readonly kind: 'settle';
      readonly topic: string;
      readonly group: string;
      readonly answer: Settlement;
      /** Receipts of this start of the broker, or those that were written down, perhaps before it. */
      readonly from: 'kept' | 'written';
      /** Which of them, as a share of their list in [0, 1). */
      readonly pick: number;
      /** So many of them, from there on. */
      readonly count: number;
      /** Of a nack and a postponement: when it may go out again. Of a deadline: when it is. */
      readonly ms?: number;
      /** Of a postponement. */
      readonly scope?: PostponeScope;
    }
  | { readonly kind: 'release'; readonly topic: string; readonly group: string; readonly partition?: number }
  | { readonly kind: 'pull'; readonly topic: string; readonly group: string; readonly options: PullOptions }
  | { readonly kind: 'hold-pull'; readonly topic: string; readonly group: string; readonly isHeld: boolean };

/** How a receipt is used. */
export type Settlement = 'ack' | 'nack' | 'reject' | 'set-deadline' | 'postpone';

export type PullOptions = Pick<
  CollectorOptions,
  | 'messagesMax'
  | 'bytesMax'
  | 'takesAnyFirst'
  | 'messagesMin'
  | 'bytesMin'
  | 'waitMs'
  | 'idle'
  | 'ackWaitMs'
  | 'priority'
  | 'member'
>;

/**
 * The process dies: by `kill -9` (written data stays readable) or with the machine's power (unsynced data may
 * be gone).
 */
export interface Crash {
  readonly kind: 'crash';
  readonly power: boolean;
  readonly downMs: number;
  /** The recovery dies too, after so many calls of the disk; and the recovery after that, and so on. */
  readonly again: readonly number[];
  /** Everything is read once the broker is up again. */
  readonly look: boolean;
}

/** The disk refuses: the `after`-th call of that kind from now on, and the `count - 1` that follow. */
export interface Fault {
  readonly kind: 'fault';
  readonly call: 'write' | 'sync' | 'read' | 'open' | 'any';
  readonly code: 'EIO' | 'ENOSPC' | 'EMFILE';
  readonly after: number;
  readonly count: number;
}

export type Answer = 'ack' | 'ack-all' | 'nack' | 'extend' | 'reject';

/** A message to publish. Its content follows from the id (see message.ts). */
export interface PlannedMessage {
  /** Ascending in the order of the script. */
  readonly id: number;
  readonly key: string | null;
  readonly bytes: number;
  readonly partition?: number;
  readonly dedupeId?: string;
  readonly delayMs?: number;
  readonly ttlMs?: number;
  readonly unique?: UniqueOptions;
  /** The publisher's belief about the partition or the key: the truth at that moment, or something else. */
  readonly expect?: 'last-offset' | 'wrong-last-offset' | 'last-key-offset' | 'wrong-last-key-offset';
  readonly rollup?: 'topic' | 'key';
  readonly priority?: number;
  /** Without headers of its own. */
  readonly isBare?: boolean;
  /** It goes to several topics in one publish: its name in each of them. */
  readonly copies?: Readonly<{ [topic: string]: number }>;
  /** The name that its content bears, which is that of the copy in the first topic. */
  readonly copyOf?: number;
  /** Which Kafka producer sends it, or which channel of an AMQP client. */
  readonly producer?: string;
}
