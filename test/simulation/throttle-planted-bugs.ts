import type { PlantedBug } from './planted-bug.ts';

/** Groups: runs of keys, rates, holds. */
export const throttlePlantedBugs: readonly PlantedBug[] = [
  // ---- groups: runs of keys, rates, holds
  {
    name: 'another consumer joins a run',
    file: 'broker/groups/key-order.js',
    find: 'return this.#owned.get(to) === key.owner;',
    replace: 'return true;',
  },
  {
    name: 'a failed message leaves its run going',
    file: 'broker/groups/key-order.js',
    find: 'key.isStopped = true;',
    replace: ';',
  },
  {
    name: 'a message that is given up leaves its run going',
    file: 'broker/groups/key-order.js',
    find: 'entry.orderedKey.isStopped = true;',
    replace: ';',
    tests: ['broker/groups/runs.test.js'],
  },
  {
    name: 'found: what was kept back behind its key is delivered at most once, and again',
    file: 'broker/groups/delivery-pump.js',
    find: 'position.settle(this.#entry);\n            if (this.#state.isStored)',
    replace: 'position.settle(this.#entry);\n            if (false)',
    tests: ['broker/groups/runs.test.js'],
  },
  {
    name: 'one more of a key than a run may have',
    file: 'broker/groups/key-order.js',
    find: 'key.out < this.#limits.runMax',
    replace: 'key.out <= this.#limits.runMax',
  },
  {
    name: 'a failed message gets to the end of its line',
    file: 'broker/groups/ordered-key.js',
    find: 'if (ahead !== undefined && precedes(entry, ahead))',
    replace: 'if (false)',
  },
  {
    name: 'a consumer takes any number of keys',
    file: 'broker/groups/key-order.js',
    find: 'return keys < this.#limits.keysPerConsumerMax;',
    replace: 'return true;',
  },
  {
    name: 'a key is not given up at the end of its run',
    file: 'broker/groups/key-order.js',
    find: 'owner.consumer.keys--;',
    replace: ';',
  },
  {
    name: 'ignore the concurrency of a group',
    file: 'broker/groups/throttle.js',
    find: 'Math.min(allowed, this.#concurrency - inFlight)',
    replace: 'allowed',
  },
  {
    name: 'deliveries take no token',
    file: 'broker/groups/throttle.js',
    find: 'this.#bucket?.take(nowMs, count);',
    replace: ';',
  },
  {
    name: 'a rate that keeps back wakes nobody',
    file: 'broker/groups/delivery-pump.js',
    find: 'this.#listener.keptBack(nowMs);',
    replace: ';',
  },
  {
    name: '"not now" counts as a failure',
    file: 'broker/groups/group-holds.js',
    find: 'this.#answers.giveBack(position, entry, isOfMessage ? nowMs + forMs : undefined);',
    replace: 'this.#answers.nack(position, offset, isOfMessage ? forMs : 0);',
  },
  {
    name: 'a hold of a group holds nothing',
    file: 'broker/groups/group-state.js',
    find: '!this.closed && !this.isResting',
    replace: '!this.closed && !this.isPaused',
  },
  {
    name: 'a hold of a key holds nothing',
    file: 'broker/groups/ordered-key.js',
    find: 'Math.max(this.heldUntilMs, tokenMs)',
    replace: 'tokenMs',
  },
  {
    name: 'holds end with the process',
    file: 'broker/replay.js',
    find: '?.restoreHold(readHold(payload));',
    replace: ';',
  },
  {
    name: 'checkpoints leave holds out',
    file: 'broker/snapshot.js',
    find: '...(holds.length > 0 ? { holds } : {}),',
    replace: '',
  },
  {
    name: 'one more in flight than allowed',
    file: 'broker/groups/delivery-pump.js',
    find: 'pending.size - held < maxInFlight',
    replace: 'pending.size - held <= maxInFlight',
  },
  {
    name: 'found: an ack of all goes on where its message was pushed out',
    file: 'broker/groups/answers.js',
    find: 'covered.push(entry);',
    replace: 'if (isAnswerable(entry)) this.#acked(position, entry);',
    tests: ['broker/groups/group.test.js'],
  },
];
