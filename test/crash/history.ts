import type { Event } from './event-log.ts';

/** A message as its publisher intended it, and its fate. */
export interface MessageHistory {
  readonly subject: string;
  readonly hash: string;
  /**
   * Messages of a subject are published in this order, and published again in this order if their fate is
   * unknown.
   */
  readonly order: number;
  /** Where the broker told the publisher that it is. */
  storedAt: number | undefined;
  refused: boolean;
}

/** A broken promise: the rule, and the observation. */
export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

export type Rule =
  | 'nothing acked is missing'
  | 'nothing is invented'
  | 'nothing is altered'
  | 'order per subject'
  | 'an acked delivery is final'
  | 'offsets are not reused'
  | 'an id is stored once'
  | 'what was refused is not there'
  | 'everything is delivered'
  | 'a process ends as documented'
  | 'a canary is served within a second'
  | 'others wait no longer for costly inputs'
  | 'memory and descriptors stay flat';

/** The history of one stream, and of the one group that consumes it. */
export class StreamHistory {
  readonly messages: Map<string, MessageHistory> = new Map<string, MessageHistory>();
  /**
   * The message seen at each sequence, by its publisher, a consumer or a reader. A message that is seen is
   * durable.
   */
  readonly places: Map<number, string> = new Map<number, string>();
  readonly sequences: Map<string, number> = new Map<string, number>();
  /** When a consumer began to ack, and when it heard that its ack is on disk. */
  readonly acking: Map<number, number> = new Map<number, number>();
  readonly acked: Map<number, number> = new Map<number, number>();
  /** The ids of each subject, in order. */
  readonly bySubject: Map<string, string[]> = new Map<string, string[]>();
  /** Of a FIFO queue: the order of the last delivery of each subject. */
  readonly lastDelivered: Map<string, number> = new Map<string, number>();
  lastSequence = 0;

  intend(event: Event & { kind: 'intent' }): void {
    if (this.messages.has(event.id)) return; // published again: the same message
    const { subject, hash } = event;
    const ids = this.bySubject.get(subject) ?? [];
    this.bySubject.set(subject, ids);
    const order = ids.push(event.id);
    this.messages.set(event.id, { subject, hash, order, storedAt: undefined, refused: false });
  }
}

/** A message as it was received or read. */
export interface Sighting {
  readonly stream: string;
  readonly seq: number;
  readonly id: string;
  readonly subject: string;
  readonly hash: string;
}

/** A client's knowledge by connection, which tells the order of its observations. */
interface Observer {
  connectedNs: number;
  /** Sequences whose acks were confirmed on the present connection, by stream. */
  confirmed: Set<string>;
}

/**
 * The history is all that the clients saw, merged, and held against itself on the way: rules that need
 * nothing but the clients' own logs are checked here as events arrive, those that need a look into the broker
 * are in checker.ts.
 */
export class History {
  readonly streams: Map<string, StreamHistory> = new Map<string, StreamHistory>();
  readonly violations: Violation[] = [];
  readonly #observers = new Map<string, Observer>();
  /** Counts of events by kind, for the result table. */
  readonly counts: Record<Event['kind'], number> = {
    connected: 0,
    intent: 0,
    stored: 0,
    refused: 0,
    delivered: 0,
    acking: 0,
    acked: 0,
  };
  /**
   * Deliveries of a message that another consumer was about to ack, on an older connection: allowed, since
   * they may have crossed.
   */
  crossed = 0;
  /** Deliveries of a message that had been delivered before. */
  redelivered = 0;
  readonly #delivered = new Set<string>();

  stream(name: string): StreamHistory {
    let stream = this.streams.get(name);
    if (stream === undefined) this.streams.set(name, (stream = new StreamHistory()));
    return stream;
  }

  /** Streams that are gone need not be remembered. */
  forget(name: string): void {
    this.streams.delete(name);
    for (const known of this.#delivered) if (known.startsWith(`${name} `)) this.#delivered.delete(known);
  }

  /** Adds the observations of one client; a publisher's intents must come before deliveries of them. */
  add(observerName: string, events: readonly Event[]): void {
    for (const event of events) this.#add(observerName, event);
  }

  #add(observerName: string, event: Event): void {
    this.counts[event.kind]++;
    switch (event.kind) {
      case 'connected':
        this.#observers.set(observerName, { connectedNs: event.ns, confirmed: new Set() });
        return;
      case 'intent':
        this.stream(event.stream).intend(event);
        return;
      case 'stored': {
        const message = this.stream(event.stream).messages.get(event.id);
        if (message === undefined)
          return this.report('nothing is invented', `${event.id} was acked but never published`);
        message.storedAt = event.seq;
        return this.place(event);
      }
      case 'refused': {
        const message = this.stream(event.stream).messages.get(event.id);
        if (message !== undefined) message.refused = true;
        return;
      }
      case 'delivered':
        this.see(event);
        if (event.stream.endsWith('.fifo')) this.#checkFifoOrder(event);
        return this.#checkDelivery(observerName, event);
      case 'acking':
        this.stream(event.stream).acking.set(event.seq, event.ns);
        return;
      case 'acked':
        this.stream(event.stream).acked.set(event.seq, event.ns);
        this.#observers.get(observerName)?.confirmed.add(`${event.stream} ${event.seq}`);
    }
  }

  /** A client saw the message there: it was published, is unchanged, and stays there. */
  see({ stream, seq, id, subject, hash }: Sighting): void {
    const message = this.stream(stream).messages.get(id);
    if (message === undefined)
      return this.report('nothing is invented', `${stream}/${seq} is ${id}, which nobody published`);
    if (message.hash !== hash || message.subject !== subject)
      this.report('nothing is altered', `${stream}/${seq}: ${id} is not what was published`);
    if (message.refused)
      this.report('what was refused is not there', `${stream}/${seq} is ${id}, which was refused`);
    this.place({ stream, seq, id });
  }

  place({ stream: name, seq, id }: { stream: string; seq: number; id: string }): void {
    const stream = this.stream(name);
    const knownId = stream.places.get(seq);
    if (knownId !== undefined && knownId !== id)
      this.report('offsets are not reused', `${name}/${seq} was ${knownId} and is now ${id}`);
    const knownSeq = stream.sequences.get(id);
    if (knownSeq !== undefined && knownSeq !== seq)
      this.report('an id is stored once', `${id} was at ${name}/${knownSeq} and is now at ${seq}`);
    stream.places.set(seq, id);
    stream.sequences.set(id, seq);
    stream.lastSequence = Math.max(stream.lastSequence, seq);
  }

  /**
   * What was delivered before the message is deleted, or comes again. One process is the consumer of a FIFO
   * queue, so that its observations are in order.
   */
  #checkFifoOrder({ stream: name, subject, id }: Event & { kind: 'delivered' }): void {
    const stream = this.stream(name);
    const order = stream.messages.get(id)?.order;
    if (order === undefined) return; // invented, which was said
    const last = stream.lastDelivered.get(subject) ?? 0;
    stream.lastDelivered.set(subject, order);
    for (const earlier of (stream.bySubject.get(subject) ?? []).slice(last, Math.max(last, order - 1))) {
      const seq = stream.sequences.get(earlier);
      if (stream.messages.get(earlier)?.refused === true) continue;
      if (seq === undefined || !stream.acking.has(seq))
        this.report('order per subject', `${name}: ${id} of ${subject} was delivered before ${earlier}`);
    }
  }

  #checkDelivery(observerName: string, { stream: name, seq }: Event & { kind: 'delivered' }): void {
    const key = `${name} ${seq}`;
    if (this.#delivered.has(key)) this.redelivered++;
    this.#delivered.add(key);
    const ackedNs = this.stream(name).acked.get(seq);
    if (ackedNs === undefined) return;
    const observer = this.#observers.get(observerName);
    if (observer !== undefined && !observer.confirmed.has(key) && observer.connectedNs < ackedNs)
      this.crossed++;
    else
      this.report(
        'an acked delivery is final',
        `${name}/${seq} was delivered to ${observerName} after its ack was confirmed`,
      );
  }

  report(rule: Rule, text: string): void {
    this.violations.push({ rule, text });
  }
}
