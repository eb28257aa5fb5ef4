import type { PlantedBug } from './planted-bug.ts';

/** Bugs that only Kafka clients see. */
export const kafkaPlantedBugs: readonly PlantedBug[] = [
  // ---- producers
  {
    name: 'kafka: a batch is answered when it is appended',
    file: 'broker/topics/batch-intake.js',
    find: 'core.awaitCommit(listener, token, partition, batch.baseOffset, false);',
    replace: 'listener.published(token, partition.index, batch.baseOffset, false);',
  },
  {
    name: 'kafka: sequence numbers are forgotten in the replay',
    file: 'broker/assemble.js',
    find: 'partition.noteBatch(batch, filtered.length > 0 ? note : undefined);',
    replace:
      'partition.noteBatch(batch, filtered.length > 0 ? note : undefined); partition.producers = new partition.producers.constructor();',
  },
  {
    name: 'kafka: sequence numbers are forgotten on checkpoint',
    file: 'broker/snapshot.js',
    find: 'if (partition.producers.size > 0) {',
    replace: 'if (false) {',
  },
  {
    name: 'kafka: only the last batch of a producer is remembered',
    file: 'broker/partitions/producers.js',
    find: 'const batchesKept = 5;',
    replace: 'const batchesKept = 1;',
  },
  {
    name: 'kafka: a repeated batch is answered with the end of the log',
    file: 'broker/topics/batch-intake.js',
    find: 'core.awaitCommit(listener, token, partition, checked, true)',
    replace: 'core.awaitCommit(listener, token, partition, partition.nextOffset, true)',
  },
  {
    name: 'kafka: a gap in the sequence numbers is no matter',
    file: 'broker/partitions/producers.js',
    find: "return baseSequence === expected ? next : { kind: 'out-of-order', expected };",
    replace: 'return next;',
  },
  {
    name: 'kafka: producer ids are given out again after a crash',
    file: 'broker/transactions/producer-ids.js',
    find: 'this.#host.record(end);',
    replace: ';',
  },
  // ---- readers
  {
    name: 'kafka: the high watermark is ahead of the durable end',
    file: 'protocols/kafka/partition-view.js',
    find: 'return partition.durableEnd;',
    replace: 'return partition.nextOffset;',
  },
  {
    name: 'kafka: a fetch leaves out the first batch',
    file: 'broker/partitions/stored-batches.js',
    find: 'addLive(partition, batch, stored);',
    replace: 'if (stored.bytes > 0 || batch.endOffset === endOffset) addLive(partition, batch, stored);',
  },
  // ---- groups
  {
    name: 'kafka: a committed offset is answered before it is durable',
    file: 'protocols/kafka/groups/handlers/offset-commit.js',
    find: 'await afterCommit(coordinator.broker);',
    replace: ';',
  },
  {
    name: 'kafka: committed offsets are forgotten on checkpoint',
    file: 'broker/snapshot.js',
    find: '...(committed ? { committed } : {}),',
    replace: '',
  },
  {
    name: 'kafka: what a share group accepts is answered before it is durable',
    file: 'protocols/kafka/groups/handlers/share-acknowledge.js',
    find: 'await afterCommit(coordinator.broker);',
    replace: ';',
  },
  {
    name: 'kafka: a share group accepts the wrong record',
    file: 'protocols/kafka/groups/share/share-consumer.js',
    find: 'group.ack(partition, offset);',
    replace: 'group.ack(partition, offset + 1);',
  },
  {
    name: 'kafka: whoever leaves a share group keeps what it holds',
    file: 'protocols/kafka/groups/share/share-consumer.js',
    find: 'receipt.nack(0);',
    replace: 'receipt.ack();',
  },
  // ---- transactions
  {
    name: 'kafka: a transaction ends in one partition only',
    file: 'broker/transactions/transactions.js',
    find: 'for (const partition of transaction.partitions) {',
    replace: 'for (const partition of [...transaction.partitions].slice(0, 1)) {',
  },
  {
    name: 'kafka: what was aborted stays',
    file: 'broker/partitions/partition.js',
    find: "if (markedOutcome(marker) === 'abort')",
    replace: 'if (false)',
  },
  {
    name: 'kafka: readers of what is committed see what is undecided',
    file: 'protocols/kafka/partition-view.js',
    find: 'return partition.stableEnd;',
    replace: 'return partition.durableEnd;',
  },
  {
    name: 'kafka: groups are given what is undecided',
    file: 'broker/partitions/partition.js',
    find: 'return this.transactions.isEmpty ? durableEnd : this.transactions.undecidedFrom(durableEnd, durableEnd);',
    replace: 'return durableEnd;',
  },
  {
    name: 'kafka: the end of a transaction is answered before it is durable',
    file: 'broker/transactions/transactions.js',
    find: 'producer.previousEpoch = undefined;\n            this.#record(producer);\n            return this.#durable(producer.identity);',
    replace:
      'producer.previousEpoch = undefined;\n            this.#record(producer);\n            return producer.identity;',
  },
  {
    name: 'kafka: a transaction that was open forgets its partitions in the replay',
    file: 'broker/replay.js',
    find: 'return this.#transactions.restoreGrowth(id, readJson(payload));',
    replace: 'return;',
  },
  {
    name: 'kafka: undecided messages are decided by a checkpoint',
    file: 'broker/snapshot.js',
    find: 'if (partition.transactions.openCount > 0) {',
    replace: 'if (false) {',
  },
  {
    name: 'kafka: positions are committed by an abort',
    file: 'broker/transactions/transactions.js',
    find: "if (outcome === 'commit')\n            for (const position of transaction.positions.values())",
    replace: 'if (true)\n            for (const position of transaction.positions.values())',
  },
  // ---- beside Kafka 4.4
  {
    name: 'what an open transaction has written pushes out what is decided',
    file: 'broker/retention/size-retention.js',
    find: '< undecidedFrom',
    replace: '< Infinity',
    tests: ['broker/topics/key-state.test.js'],
  },
  {
    name: 'keys that come while an index is read together are not counted',
    file: 'broker/partitions/key-accounting.js',
    find: 'this.#appendedMeanwhile?.push([key, record.offset]);',
    replace: ';',
    tests: ['broker/topics/key-state.test.js'],
  },
  {
    name: 'a commit below 0, or with an epoch, is gone after a restart',
    file: 'broker/replay.js',
    find: 'position.committed = committed;',
    replace: ';',
    tests: ['broker/groups/committed-group.test.js'],
  },
  {
    name: 'kafka: the first share member takes a short backlog whole',
    file: 'protocols/kafka/groups/share/share-consumer.js',
    find: 'if (this.#members <= 1)',
    replace: 'if (true)',
    tests: ['protocols/kafka/groups/share-protocol.test.js'],
  },
  {
    name: 'kafka: a login that is over goes on',
    file: 'protocols/kafka/session.js',
    find: 'this.heardMs >= this.#loginEndMs',
    replace: 'false',
    tests: ['protocols/kafka/connections.test.js'],
  },
  {
    name: 'kafka: a deleted topic is made again by the next request for it',
    file: 'protocols/kafka/deleted-names.js',
    find: 'this.#untilMs.set(name, nowMs + this.#keptMs);',
    replace: ';',
    tests: ['protocols/kafka/one-broker.test.js'],
  },
  {
    name: 'kafka: readers of a compacted topic are reset at its start',
    file: 'protocols/kafka/partition-view.js',
    find: '|| config.compaction',
    replace: '',
    tests: ['protocols/kafka/configs.test.js'],
  },
];
