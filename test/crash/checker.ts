import type { History, Sighting } from './history.ts';

/** A part of a stream as it was read back: all that stands in `[from, to]`. */
export interface Reading {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  readonly messages: readonly Sighting[];
}

/** Whether acked messages stay (`limits`) or go (`workqueue`). */
export type Kept = 'all' | 'unacked';

/**
 * Compares the messages read from the broker with those seen by the clients. `known` is the last sequence
 * that any client had seen before the reading began: everything up to it must be there. The clients' logs
 * must have been added once more after the reading, because consumers go on acking.
 */
export function checkReading(history: History, reading: Reading, kept: Kept, known: number): void {
  const { from } = reading;
  const stream = history.stream(reading.stream);
  const lastOrder = new Map<string, number>();
  const present = new Set<number>();
  let lastSeq = from - 1;
  for (const message of reading.messages) {
    history.see(message);
    present.add(message.seq);
    if (message.seq <= lastSeq)
      history.report('order per subject', `${reading.stream}: ${message.seq} was read after ${lastSeq}`);
    lastSeq = message.seq;
    const order = stream.messages.get(message.id)?.order;
    if (order === undefined) continue; // invented, which was said
    if (order <= (lastOrder.get(message.subject) ?? 0))
      history.report('order per subject', `${message.id} on ${message.subject} at ${message.seq}`);
    lastOrder.set(message.subject, order);
  }
  // Messages after the last one seen by a client may still be on their way to the disk.
  for (let seq = from; seq <= Math.max(known, lastSeq); seq++) {
    if (present.has(seq) || (kept === 'unacked' && stream.acking.has(seq))) continue;
    const id = stream.places.get(seq);
    // In a stream that keeps everything, a hole is a loss, even if no client knows the message.
    if (id !== undefined || kept === 'all')
      history.report('nothing acked is missing', `${reading.stream}/${seq} (${id ?? 'unknown'})`);
  }
}

/**
 * When everything was drained: each message that is stored was acked, or was about to be when the broker
 * died.
 */
export function checkDrained(history: History, name: string): void {
  const stream = history.stream(name);
  for (const [id, { storedAt }] of stream.messages) {
    if (storedAt !== undefined && !stream.acking.has(storedAt))
      history.report('everything is delivered', `${name}/${storedAt} (${id}) was not delivered`);
  }
}

/**
 * Checks all deliveries of a group: no message with a confirmed ack, and every other stored message. An ack
 * that was sent and not confirmed may have arrived or not.
 */
export function checkPending(
  history: History,
  name: string,
  stored: Iterable<number>,
  delivered: readonly number[],
): void {
  const stream = history.stream(name);
  const seen = new Set(delivered);
  for (const seq of seen) {
    if (stream.acked.has(seq))
      history.report('an acked delivery is final', `${name}/${seq} was delivered again after a restart`);
  }
  for (const seq of stored) {
    if (!seen.has(seq) && !stream.acking.has(seq))
      history.report('everything is delivered', `${name}/${seq} was not delivered after a restart`);
  }
}
