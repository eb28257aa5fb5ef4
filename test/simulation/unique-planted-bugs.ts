import type { PlantedBug } from './planted-bug.ts';

/** Planted bugs of unique keys and of the rates of topics. */
export const uniquePlantedBugs: readonly PlantedBug[] = [
  {
    name: 'unique keys are not read back',
    file: 'broker/replay.js',
    find: 'return partition?.topic.uniqueKeys.restore(',
    replace: 'return void (',
  },
  {
    name: 'unique keys are forgotten on checkpoint',
    file: 'broker/snapshot.js',
    find: 'add(EntryKind.uniqueKey, topic.partitions.at(message.partition).log.id, written());',
    replace: ';',
  },
  {
    name: 'freed unique keys are not written',
    file: 'broker/commit-cycle.js',
    find: 'this.#log.record(EntryKind.uniqueKeyFreed, id, this.#scratch.view());',
    replace: ';',
  },
  {
    name: 'a first delivery does not free a unique key',
    file: 'broker/groups/delivery-pump.js',
    find: 'if (uniqueKeys.waiting > 0 && delivery.deliveries === 1)',
    replace: 'if (false)',
  },
  {
    name: 'a message that becomes due loses its unique key',
    file: 'broker/topics/topic.js',
    find: 'this.uniqueKeys.becameDue(id, partition.index, offset);',
    replace: ';',
  },
  {
    name: 'found: a place is not kept before the last messages per key',
    file: 'broker/groups/group-partition.js',
    find: 'this.#afterStandIns(record, this.#backfill.first, to)',
    replace: 'record',
    tests: ['broker/topics/unique-keys.test.js'],
  },
  {
    name: 'a replaced message stays',
    file: 'broker/topics/unique-publishes.js',
    find: 'else if (this.#topic.partitions.at(partition)?.remove(offset))',
    replace: 'else if (false)',
  },
  {
    name: 'a replaced delayed message still comes',
    file: 'broker/topics/unique-publishes.js',
    find: 'this.#host.delays.takeOut(offset);',
    replace: ';',
  },
  {
    name: 'an ignored message is stored',
    file: 'broker/topics/message-intake.js',
    find: 'return this.unique.ignore(admission, listener, token);',
    replace: 'this.appendAccepted(record, partition); return this.unique.ignore(admission, listener, token);',
  },
  {
    name: 'a message goes to the end, not in the place of the one it replaces',
    file: 'broker/topics/unique-publishes.js',
    find: 'this.#keepPlace(partition, offset, place);',
    replace: ';',
  },
  {
    name: 'places are forgotten on checkpoint',
    file: 'broker/snapshot.js',
    find: 'add(EntryKind.standIn, id, scratch.copy());',
    replace: ';',
  },
  {
    name: 'a publish takes nothing of the rate of its topic',
    file: 'broker/topics/message-intake.js',
    find: 'this.#topic.publishRate.take();',
    replace: ';',
  },
  {
    name: 'a change of a topic fills up its rate',
    file: 'broker/topics/publish-rate.js',
    find: 'this.#bucket.change(publishRate, nowMs);',
    replace: 'this.#bucket = new TokenBucket(publishRate, nowMs);',
  },
];
