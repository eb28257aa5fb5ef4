/** The most bytes of each part of a key. */
export const keyBytesMax = 512;

/** What an inbox remembers: this message of this topic was handled by this consumer. */
export interface InboxKey {
  readonly consumer: string;
  readonly topic: string;
  readonly id: string;
}

/** What became of a message: it was handled now, or had been handled before. */
export type Once<T> = { readonly kind: 'handled'; readonly value: T } | { readonly kind: 'duplicate' };

export const duplicate = { kind: 'duplicate' } as const;

export interface CleanUpOptions {
  /** Ids of messages that were handled longer ago are forgotten. */
  readonly olderThanMs: number;
  /** The most ids that one transaction forgets. Default 1,000. */
  readonly stepRows?: number;
  /** Stops between two steps. */
  readonly signal?: AbortSignal;
}

/** A store keeps the keys of handled messages, in the database that the effects go to. */
export interface InboxStore<Tx> {
  /** Runs the effect and remembers the key in one transaction, unless the key is known. */
  once<T>(key: InboxKey, effect: (tx: Tx) => T | Promise<T>): Promise<Once<T>>;
  /** Remembers the key in a transaction of the caller. Resolves to false if it was known. */
  claim?(tx: Tx, key: InboxKey): boolean | Promise<boolean>;
  /** Forgets one key. Resolves to whether it was known. */
  forget(key: InboxKey): Promise<boolean>;
  /** Forgets old keys of a consumer, in bounded steps. Resolves to how many. */
  cleanUp(consumer: string, options: Required<Omit<CleanUpOptions, 'signal'>>): Promise<number>;
  /** Makes what the store needs in the database, if it is not there. */
  migrate(): Promise<void>;
}
