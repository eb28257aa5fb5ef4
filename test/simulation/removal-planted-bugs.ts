import type { PlantedBug } from './planted-bug.ts';

/** The broker: removal and expiry. */
export const removalPlantedBugs: readonly PlantedBug[] = [
  // ---- the broker: removal
  {
    name: 'a queue forgets its other groups',
    file: 'broker/retention/ack-retention.js',
    find: 'if (groups.size > 1) {',
    replace: 'if (false) {',
  },
  {
    name: 'age takes one message too many',
    file: 'broker/retention/age-retention.js',
    find: 'this.#expire(partition, batch, from, offset)',
    replace: 'this.#expire(partition, batch, from, offset + 1)',
  },
  {
    name: 'size takes one message too many',
    file: 'broker/retention/size-retention.js',
    find: 'partition.trim(partition.offsetOfLast(messagesMax));',
    replace: 'partition.trim(partition.offsetOfLast(messagesMax - 1));',
  },
  // ---- expiry
  {
    name: 'a message expires early',
    file: 'broker/topics/expiry.js',
    find: 'Math.ceil(steady.now() + ttlMs)',
    replace: 'Math.ceil(steady.now() + ttlMs / 2)',
  },
  {
    name: 'a message expires late',
    file: 'broker/topics/expiry.js',
    find: 'Math.ceil(steady.now() + ttlMs)',
    replace: 'Math.ceil(steady.now() + 2 * ttlMs)',
  },
  {
    name: 'the replay forgets times to live',
    file: 'broker/replay.js',
    find: 'partition.topic.expiry.restore(partition, offset, dueMs);',
    replace: ';',
  },
  {
    name: 'a checkpoint forgets times to live',
    file: 'broker/snapshot.js',
    find: 'if (!expiry.isUsed)',
    replace: 'if (true)',
  },
  {
    name: 'a delayed message forgets its time to live',
    file: 'broker/topics/delayed-options.js',
    find: 'ttlMs: ttlMs === 0 ? Infinity : ttlMs }',
    replace: 'ttlMs: undefined }',
  },
  {
    name: 'a queue delivers what is overdue',
    file: 'broker/partitions/partition.js',
    find: '!this.isOverdue(offset)',
    replace: 'true',
    tests: ['broker/topics/expiry.test.js'],
  },
  {
    name: 'groups do not wait for what is due',
    file: 'broker/groups/delivery-pump.js',
    find: '!this.#state.topic.expiry.catchUp()',
    replace: 'false',
    tests: ['broker/topics/expiry.test.js'],
  },
  {
    name: 'a publish that waits for room forgets its time to live',
    file: 'broker/topics/waiting-publishes.js',
    find: 'this.publish(record, options, listener, token, partition);',
    replace: 'this.publish(record, options && { ...options, ttlMs: undefined }, listener, token, partition);',
  },
  {
    name: 'found: positions load their messages in turn without end',
    file: 'broker/groups/message-reader.js',
    find: 'offset === this.#offset',
    replace: 'false',
    tests: ['broker/groups/message-reader.test.js'],
  },
  {
    name: 'a group delivers what is too old',
    file: 'broker/groups/group-expiry.js',
    find: '<= this.#host.steady.now();',
    replace: '<= this.#host.steady.now() - 1000;',
  },
  {
    name: 'steady time starts anew with each start',
    file: 'broker/replay.js',
    find: 'return this.#host.steady.restore(readClockFrame(payload));',
    replace: 'return;',
    tests: ['broker/clock-jumps.test.js'],
  },
  {
    name: 'ages count from timestamps',
    file: 'broker/topics/arrivals.js',
    find: 'if (!isOld && !isYoung)',
    replace: 'if (true)',
    tests: ['broker/topics/expiry.test.js'],
  },
];
