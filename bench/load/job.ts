/** A Kafka login is what a client of the load logs in with, by SASL PLAIN. */
export interface KafkaLogin {
  readonly user: string;
  readonly password: string;
}

/** A load job is the task of one generator process. Times are in seconds, sizes are payload bytes. */
export type LoadJob =
  | {
      /** Writes PUB frames as fast as the socket takes them, then waits for a PONG. */
      readonly kind: 'publisher';
      readonly port: number;
      readonly subject: string;
      readonly payloadBytes: number;
      readonly seconds: number;
    }
  | {
      /** Counts the messages of `connections` subscriptions of one subject, each on its own connection. */
      readonly kind: 'subscriber';
      readonly port: number;
      readonly subject: string;
      readonly connections: number;
    }
  | {
      /** Sends one request at a time and records the time of each answer. */
      readonly kind: 'requester';
      readonly port: number;
      readonly subject: string;
      readonly payloadBytes: number;
      readonly seconds: number;
    }
  | {
      /** Answers every request with its own payload size. */
      readonly kind: 'responder';
      readonly port: number;
      readonly subject: string;
      readonly payloadBytes: number;
    }
  | {
      /** Publishes to streams with at most `window` messages unacked; ends after `seconds` or `messages`. */
      readonly kind: 'stream-publisher';
      readonly port: number;
      readonly subjects: readonly string[];
      readonly payloadBytes: number;
      readonly window: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /** Pulls and acks the messages of one durable consumer; ends after `seconds` or `messages`. */
      readonly kind: 'stream-consumer';
      readonly port: number;
      readonly stream: string;
      readonly consumer: string;
      readonly connections: number;
      readonly batch: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /**
       * Produces one batch over and over to a Kafka partition, with at most `window` requests unanswered;
       * ends after `seconds` or `requests`.
       */
      readonly kind: 'kafka-producer';
      readonly port: number;
      readonly login?: KafkaLogin | undefined;
      readonly topic: string;
      readonly partition: number;
      readonly payloadBytes: number;
      readonly batchBytes: number;
      readonly window: number;
      readonly seconds: number;
      readonly requests: number;
    }
  | {
      /** Fetches a Kafka partition from its beginning to its end. */
      readonly kind: 'kafka-reader';
      readonly port: number;
      readonly login?: KafkaLogin | undefined;
      readonly topic: string;
      readonly fetchBytes: number;
    }
  | {
      /** Reads a number of bytes from a port, after having sent some. */
      readonly kind: 'loopback-reader';
      readonly port: number;
      readonly bytes: number;
    }
  | {
      /**
       * Joins groups as a number of members that stay by heartbeats; with `fetches` they also wait for
       * messages.
       */
      readonly kind: 'kafka-members';
      readonly port: number;
      readonly topic: string;
      readonly groups: number;
      readonly membersPerGroup: number;
      readonly fetches: boolean;
      readonly seconds: number;
    }
  | {
      /**
       * Publishes to an AMQP exchange, with each routing key in turn and at most `window` messages
       * unconfirmed; ends after `seconds` or `messages`.
       */
      readonly kind: 'amqp-publisher';
      readonly port: number;
      readonly exchange: string;
      readonly routingKeys: readonly string[];
      readonly payloadBytes: number;
      readonly window: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /** Publishes so many messages a second to an AMQP queue, and measures the time to their confirms. */
      readonly kind: 'amqp-paced-publisher';
      readonly port: number;
      readonly queue: string;
      readonly payloadBytes: number;
      readonly rate: number;
      readonly seconds: number;
    }
  | {
      /** Receives and acks so many messages of an AMQP queue. */
      readonly kind: 'amqp-consumer';
      readonly port: number;
      readonly queue: string;
      readonly prefetch: number;
      readonly messages: number;
    }
  | {
      /**
       * Publishes to an AMQP queue by amqplib, with at most `window` messages unconfirmed; ends after
       * `seconds` or `messages`.
       */
      readonly kind: 'amqplib-publisher';
      readonly port: number;
      readonly queue: string;
      readonly payloadBytes: number;
      readonly window: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /** Receives and acks so many messages of an AMQP queue by amqplib. */
      readonly kind: 'amqplib-consumer';
      readonly port: number;
      readonly queue: string;
      readonly prefetch: number;
      readonly messages: number;
    }
  | {
      /** Opens AMQP connections that do nothing, and keeps them. */
      readonly kind: 'amqp-connections';
      readonly port: number;
      readonly connections: number;
    }
  | {
      /**
       * Sends messages to an SQS queue, in batches if `batch` is above 1, with `window` requests under way;
       * ends after `seconds` or `messages`. With `groups` the queue is FIFO, and each group gets a message in
       * turn.
       */
      readonly kind: 'sqs-sender';
      readonly port: number;
      readonly queueUrl: string;
      readonly payloadBytes: number;
      readonly batch: number;
      readonly window: number;
      readonly groups: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /** Sends single messages to an SQS queue by the AWS SDK. */
      readonly kind: 'sqs-sdk-sender';
      readonly port: number;
      readonly queueUrl: string;
      readonly payloadBytes: number;
      readonly window: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /**
       * Receives so many messages of an SQS queue, ten a request, and deletes them; fails after `seconds`.
       */
      readonly kind: 'sqs-receiver';
      readonly port: number;
      readonly queueUrl: string;
      readonly window: number;
      /** Without it they stay in flight. */
      readonly deletes: boolean;
      /** By default that of the queue. */
      readonly visibilitySeconds?: number;
      readonly seconds: number;
      readonly messages: number;
    }
  | {
      /** Waits for messages of an empty SQS queue with so many long polls. */
      readonly kind: 'sqs-poller';
      readonly port: number;
      readonly queueUrl: string;
      readonly polls: number;
      readonly seconds: number;
    }
  | {
      /** Writes and syncs one small record at a time and nothing else, to measure the disk itself. */
      readonly kind: 'sync-loop';
      readonly directory: string;
      readonly recordBytes: number;
      readonly place: 'append' | 'overwrite';
      readonly seconds: number;
    }
  | {
      /** Publishes one message at a time to a broker of its own, in its own process. */
      readonly kind: 'embedded-publisher';
      readonly directory: string;
      readonly payloadBytes: number;
      readonly seconds: number;
    }
  | {
      /** Fills the journal of a broker of its own, without checkpoints, and never stops it. */
      readonly kind: 'journal-filler';
      readonly directory: string;
      readonly payloadBytes: number;
      readonly journalBytes: number;
    }
  | {
      /** Runs so many schedules of one second each in a broker of its own. */
      readonly kind: 'scheduler';
      readonly directory: string;
      readonly schedules: number;
      readonly payloadBytes: number;
      readonly seconds: number;
    }
  | {
      /** Opens the broker in `directory` once, and reports the time taken and the messages found. */
      readonly kind: 'broker-opener';
      readonly directory: string;
    };

/** Latency of single operations, in microseconds. */
export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
}

/**
 * A load report is the result of a generator process. Times are milliseconds of the system-wide monotonic
 * clock, so that those of two processes can be compared.
 */
export interface LoadReport {
  readonly messages: number;
  readonly startMs: number;
  readonly endMs: number;
  /**
   * Processor cores used by the generator between `go` and the report; near 1 means that the generator was
   * the limit.
   */
  readonly cores: number;
  readonly latency?: Latency;
  /** Messages per second in each quarter of the messages. */
  readonly partRates?: readonly number[];
}

/** Messages from the bench to a generator process. */
export type LoadCommand =
  | { readonly kind: 'job'; readonly job: LoadJob }
  | { readonly kind: 'go' }
  /** The load is over: report once `messages` have arrived. */
  | { readonly kind: 'finish'; readonly messages: number };

/** Messages from a generator process to the bench. */
export type LoadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'report'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly reason: string };

/** A count is a report before the process adds its processor time. */
export type Count = Omit<LoadReport, 'cores'>;

/** A generator is one kind of load, connected and waiting for `run`. */
export interface Generator {
  run(): Promise<Count>;
  finish?(messages: number): void;
  end(): void | Promise<void>;
}
