// JetStream's JSON, as far as the driver uses it.

export interface ApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

export interface ApiAnswer {
  readonly error?: ApiError;
}

export interface StreamConfig {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly retention?: 'limits' | 'workqueue' | 'interest';
  readonly max_msgs?: number;
  readonly max_bytes?: number;
  readonly max_age?: number;
  readonly max_msg_size?: number;
  readonly discard?: 'old' | 'new';
  readonly duplicate_window?: number;
  readonly allow_msg_ttl?: boolean;
  readonly storage?: 'file' | 'memory';
  readonly metadata?: { readonly [name: string]: string };
  readonly [member: string]: unknown;
}

export interface StreamInfo extends ApiAnswer {
  readonly config: StreamConfig;
  readonly state: { readonly messages: number; readonly last_seq: number };
}

export interface ConsumerConfig {
  readonly durable_name: string;
  readonly ack_wait?: number;
  readonly max_deliver?: number;
  readonly max_ack_pending?: number;
  readonly filter_subject?: string;
  readonly filter_subjects?: readonly string[];
  readonly metadata?: { readonly [name: string]: string };
  readonly [member: string]: unknown;
}

export interface ConsumerInfo extends ApiAnswer {
  readonly config: ConsumerConfig;
  readonly num_pending: number;
  readonly num_ack_pending: number;
}

export interface PubAck extends ApiAnswer {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
}

export interface StoredMessageJson extends ApiAnswer {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    /** Base64. */
    readonly hdrs?: string;
    readonly data?: string;
    readonly time: string;
  };
}

/** Error codes of the API. */
export const errorCodes = {
  streamNotFound: 10059,
  consumerNotFound: 10014,
  noMessage: 10037,
  streamFull: 10077,
  messageTooLarge: 10054,
  headersTooLarge: 10097,
  duplicateUnderWay: 10158,
  streamExists: 10058,
  consumerExists: 10148,
} as const;

export const nanosPerMs = 1_000_000;
