import type { Action, Operation, PlannedMessage, Script } from './script.ts';

/*
 * The fixed script of the exhaustive mode: some hundreds of operations, in rounds that do everything the
 * broker can do at least once.
 */

const rounds = 8;
const keys = ['k.1', 'k.2', 'k.3', 'j.1'];

class Writer {
  readonly operations: Operation[] = [];
  #lastId = 0;

  /** The machine comes to rest after it, or gets only so far. */
  add(action: Action, steps: number = -1): void {
    const turn = this.operations.length;
    this.operations.push({ ...action, turn, steps, ...(turn % 3 === 0 ? { sync: true } : {}) });
  }

  publish(topic: string, options: Partial<PlannedMessage> = {}, count = 1, steps = -1): void {
    const messages = Array.from({ length: count }, () => {
      const id = ++this.#lastId;
      return { id, key: keys[id % keys.length]!, bytes: (id * 37) % 150, ...options };
    });
    this.add({ kind: 'publish', topic, messages }, steps);
  }

  answer(topic: string, group: string, answer: 'ack' | 'nack' | 'reject' | 'ack-all', count = 1): void {
    this.add({ kind: 'answer', topic, group, answer, pick: 0, count });
  }
}

function write(): Operation[] {
  const w = new Writer();
  w.add({ kind: 'create-topic', options: { name: 'orders', retention: 'queue', dedupeWindowMs: 2000 } });
  w.add({
    kind: 'create-topic',
    options: { name: 'jobs', messagesMax: 12, keyState: true, messagesPerKeyMax: 5, partitions: 2 },
  });
  w.add({
    kind: 'create-group',
    topic: 'orders',
    options: { name: 'a', ackWaitMs: 100, maxDeliver: 2, deadLetter: 'letters', backoffMs: [5, 50] },
  });
  w.add({ kind: 'create-group', topic: 'jobs', options: { name: 'b', ack: 'all', ordering: 'none' } });
  w.add({ kind: 'attach', topic: 'orders', group: 'a', credit: 1000 });
  w.add({ kind: 'attach', topic: 'jobs', group: 'b', credit: 5 });
  for (let round = 0; round < rounds; round++) playRound(w, round);
  return w.operations;
}

function playRound(w: Writer, round: number): void {
  w.publish('orders', { dedupeId: `d${round}` });
  w.publish('orders', { dedupeId: `d${round}` }, 1, 1);
  w.publish('orders', {}, 4);
  w.publish('jobs', {}, 5, 2);
  w.publish('orders', { delayMs: 50 });
  w.answer('orders', 'a', 'ack', 2);
  w.answer('orders', 'a', 'nack');
  w.publish('jobs', { bytes: 700 }, 3);
  w.answer('jobs', 'b', 'ack-all', 2);
  w.add({ kind: 'wait', ms: 120 });
  if (round % 2 === 0) w.answer('orders', 'a', 'reject');
  w.publish('orders', {}, 2, 3);
  w.add({ kind: 'checkpoint' }, round % 3 === 0 ? 4 : -1);
  w.publish('jobs', { bytes: 300 }, 2, 1);
  w.add({ kind: 'wait', ms: 60 });
  w.answer('orders', 'a', 'ack', 3);
  if (round === 2) w.add({ kind: 'redrive', topic: 'letters' });
  if (round === 3) w.add({ kind: 'purge', topic: 'jobs', partition: 0, pattern: 'k.1' });
  if (round === 4) w.add({ kind: 'stop', downMs: 10, look: true });
  if (round === 4) w.add({ kind: 'attach', topic: 'orders', group: 'a', credit: 1000 });
  if (round === 5) playTopicsAndGroups(w);
  if (round === 6) w.add({ kind: 'remove', topic: 'jobs', partition: 1, pick: 0.5 });
  w.add({ kind: 'compact' }, round % 2 === 0 ? -1 : 5);
  w.publish('orders', {}, 2);
  w.add({ kind: 'wait', ms: 300 });
}

/** Definitions come and go. */
function playTopicsAndGroups(w: Writer): void {
  w.add({ kind: 'create-topic', options: { name: 'events', retention: 'interest' } }, 1);
  w.add({ kind: 'create-group', topic: 'events', options: { name: 'c' } });
  w.publish('events', {}, 3);
  w.add({ kind: 'update-group', topic: 'orders', group: 'a', change: { maxDeliver: 3 } });
  w.add({ kind: 'update-topic', topic: 'jobs', change: { messagesMax: 8 } });
  w.add({ kind: 'delete-group', topic: 'jobs', group: 'b' });
  w.add({ kind: 'checkpoint' }, 6);
  w.add({ kind: 'delete-topic', topic: 'events' }, 2);
  w.add({ kind: 'create-topic', options: { name: 'events' } });
  w.publish('events', {}, 2);
}

export const fixedScript: Script = {
  seed: 0,
  log: {
    journalFileBytes: 8 * 1024,
    checkpointBytes: 32 * 1024,
    segmentBytesMax: 1024,
    indexIntervalBytes: 128,
    batchBytesMax: 1024,
    batchRecordsMax: 3,
    tailCacheBytesMax: 4096,
    readCacheBytesMax: 4096,
    unflushedBytesMax: 1024,
    commitBytesMax: 16 * 1024,
    openFilesMax: 4,
  },
  operations: write(),
};
