import type { SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import type { UniqueOptions } from './publishes.ts';

/** The message that was published last with a unique key. */
export interface UniqueMessage {
  readonly key: string;
  /** The index of its partition. */
  readonly partition: number;
  /** Its offset in the partition; while it is delayed, its id (see delayed-messages.ts). */
  readonly offset: number;
  /** `delivered`: some group got it, so that the key is free. */
  readonly state: 'delayed' | 'stored' | 'delivered';
  /** When it was published (wall clock). */
  readonly sinceMs: number;
  /** How long its publish throttles the key; 0 if it does not. */
  readonly windowMs: number;
}

/** What happens to a publish with a unique key. */
export type UniqueVerdict =
  | { readonly kind: 'free' }
  /** An earlier message stands in its way. */
  | { readonly kind: 'ignored'; readonly by: UniqueMessage }
  /** It takes the place of an earlier message that waits. */
  | { readonly kind: 'replaces'; readonly earlier: UniqueMessage };

/** The services that the broker offers to unique keys. */
export interface UniqueKeysHost {
  readonly steady: SteadyTime;
  /** Whether a message waits under this id for its time. */
  isDelayed(id: number): boolean;
  /** Whether the message is in the topic. */
  isLive(partition: number, offset: number): boolean;
  /** The open commit is to carry that the key belongs to this message. */
  recordTaken(message: UniqueMessage): void;
  /** The next commit is to carry that this message was delivered. */
  recordFreed(partition: number, offset: number): void;
}

/** In memory, the time is kept as steady time, which a jump of the clock does not change. */
interface Kept extends UniqueMessage {
  readonly steadyMs: number;
}

const free: UniqueVerdict = { kind: 'free' };
/** Keys that are looked through at the earliest for those that are free. */
const sweepMin = 1024;

/**
 * The unique keys of a topic, each with its last message. A key is taken while that message waits: it is
 * delayed, or stored and delivered to no group yet. A first delivery frees the key at once. A message that
 * left in another way has freed it, too, which is noticed with the next publish of the key; keys of which
 * there is none are forgotten when their number has doubled.
 */
export class UniqueKeys {
  readonly #host: UniqueKeysHost;
  readonly #meter: Meter;
  readonly #byKey = new Map<string, Kept>();
  /** Keys of messages that are stored and not delivered, by offset, for each partition. */
  readonly #stored = new Map<number, Map<number, string>>();
  #storedCount = 0;
  /** Keys of delayed messages, by id. */
  readonly #delayed = new Map<number, string>();
  #sweepAt = sweepMin;
  /** Publishes since the start that were ignored, and that replaced an earlier one. */
  ignored = 0;
  replaced = 0;

  constructor(host: UniqueKeysHost, meter: Meter) {
    this.#host = host;
    this.#meter = meter;
  }

  /** Number of keys whose message is stored and not delivered. With none, deliveries need not be told. */
  get waiting(): number {
    return this.#storedCount;
  }

  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Decides about a publish; changes nothing but what is known about earlier messages. */
  verdict({ key, mode, windowMs = 0 }: UniqueOptions): UniqueVerdict {
    const earlier = this.#find(key);
    if (!earlier) return free;
    const waits = earlier.state !== 'delivered';
    if (mode === 'replace' || mode === 'debounce') return waits ? { kind: 'replaces', earlier } : free;
    const isThrottled = mode === 'throttle' && this.#host.steady.now() < earlier.steadyMs + windowMs;
    return waits || isThrottled ? { kind: 'ignored', by: earlier } : free;
  }

  /** The key belongs to this message from now on, and the open commit carries it. */
  take(message: UniqueMessage): void {
    this.restore(message);
    this.#host.recordTaken(message);
    if (this.#byKey.size >= this.#sweepAt) this.forgetFree();
  }

  /** The same for a message from the journal. */
  restore(message: UniqueMessage): void {
    const { key, partition, offset, state } = message;
    this.#unlink(key);
    this.#byKey.set(key, { ...message, steadyMs: this.#host.steady.of(message.sinceMs) });
    this.#meter.set(this.#byKey.size);
    if (state === 'delayed') this.#delayed.set(offset, key);
    if (state !== 'stored') return;
    let keys = this.#stored.get(partition);
    if (!keys) this.#stored.set(partition, (keys = new Map()));
    keys.set(offset, key);
    this.#storedCount++;
  }

  /** The message is no longer delayed, and is stored under this offset. */
  becameDue(id: number, partition: number, offset: number): void {
    const key = this.#delayed.get(id);
    if (key === undefined) return;
    const { sinceMs, windowMs } = this.#byKey.get(key)!;
    this.take({ key, partition, offset, state: 'stored', sinceMs, windowMs });
  }

  /** A group got the message for the first time: its key is free. */
  delivered(partition: number, offset: number): void {
    const key = this.#stored.get(partition)?.get(offset);
    if (key === undefined) return;
    this.#free(key);
    this.#host.recordFreed(partition, offset);
  }

  /** A group is done with everything in `[from, to)`, without deliveries. */
  passed(partition: number, from: number, to: number): void {
    for (const offset of this.#stored.get(partition)?.keys() ?? [])
      if (offset >= from && offset < to) this.delivered(partition, offset);
  }

  /** The journal says that these messages were delivered. */
  replayedFreed(partition: number, from: number, to: number): void {
    for (let offset = from; offset < to; offset++) {
      const key = this.#stored.get(partition)?.get(offset);
      if (key !== undefined) this.#free(key);
    }
  }

  /** Forgets keys that are free, and whose window is over. */
  forgetFree(): void {
    for (const key of this.#byKey.keys()) this.#find(key);
    this.#sweepAt = Math.max(sweepMin, 2 * this.#byKey.size);
  }

  /** All keys with their messages, for a checkpoint. */
  messages(): IterableIterator<UniqueMessage> {
    return this.#byKey.values();
  }

  /** Called when the topic is deleted. */
  close(): void {
    this.#byKey.clear();
    this.#stored.clear();
    this.#delayed.clear();
    this.#storedCount = 0;
    this.#meter.close();
  }

  /** The last message of a key, if it still matters. */
  #find(key: string): Kept | undefined {
    const kept = this.#byKey.get(key);
    if (!kept) return undefined;
    const { state, partition, offset, windowMs, steadyMs } = kept;
    if (state === 'delayed' && this.#host.isDelayed(offset)) return kept;
    if (state === 'stored' && this.#host.isLive(partition, offset)) return kept;
    if (state !== 'delivered') return this.#free(key);
    if (this.#host.steady.now() < steadyMs + windowMs) return kept;
    this.#forget(key);
    return undefined;
  }

  /** The key's message waits no more. Returns what is still to be remembered of it, because of its window. */
  #free(key: string): Kept | undefined {
    this.#unlink(key);
    const kept = this.#byKey.get(key)!;
    if (kept.windowMs > 0 && this.#host.steady.now() < kept.steadyMs + kept.windowMs) {
      const freed: Kept = { ...kept, state: 'delivered' };
      this.#byKey.set(key, freed);
      return freed;
    }
    this.#forget(key);
    return undefined;
  }

  #forget(key: string): void {
    this.#byKey.delete(key);
    this.#meter.set(this.#byKey.size);
  }

  #unlink(key: string): void {
    const kept = this.#byKey.get(key);
    if (kept?.state === 'delayed') this.#delayed.delete(kept.offset);
    else if (kept?.state === 'stored' && this.#stored.get(kept.partition)?.delete(kept.offset))
      this.#storedCount--;
  }
}
