import { kafkaPlantedBugs } from './kafka-planted-bugs.ts';

/**
 * A planted bug is a change of one line of the compiled program that breaks a promise. The suite must catch every one: who tests with a
 * suite that lets them pass tests nothing.
 */
export interface PlantedBug {
  readonly name: string;
  /** Compiled file, below `src`. */
  readonly file: string;
  /** Stands in it exactly once (checked by a test). */
  readonly find: string;
  readonly replace: string;
  /** Test files that catch it where the simulated disk does no such damage. */
  readonly tests?: readonly string[];
}

export const plantedBugs: readonly PlantedBug[] = [
  // ---- the log: what is durable
  {
    name: 'acknowledge before the write',
    file: 'log/committer.js',
    find: 'await journal.write(this.#buffer.subarray(0, bytes));',
    replace: 'journal.write(Buffer.from(this.#buffer.subarray(0, bytes))).catch(() => {});',
  },
  {
    name: 'skip the sync of the journal after a restart',
    file: 'log/journal.js',
    find: 'await options.files.open(state.current.path, { syncWrites: true })',
    replace: 'await options.files.open(state.current.path)',
  },
  {
    name: 'skip the sync of a recycled journal file',
    file: 'log/journal.js',
    find: 'const file = await files.open(spare.path, { syncWrites: true });',
    replace: 'const file = await files.open(spare.path);',
  },
  {
    name: 'skip the directory sync of a new journal file',
    file: 'log/journal.js',
    find: 'await files.rename(temporary, path);\n    await files.syncDir(dir);',
    replace: 'await files.rename(temporary, path);',
  },
  {
    name: 'skip the sync of segments before a checkpoint',
    file: 'log/partition-segments.js',
    find: 'await this.#context.openFiles.sync(segment.path());',
    replace: ';',
  },
  {
    name: "skip the directory sync of a partition's segments",
    file: 'log/partition-segments.js',
    find: 'if (this.#dirUnsynced)',
    replace: 'if (false)',
  },
  {
    name: 'free the journal before the checkpoint that replaces it',
    file: 'log/checkpointer.js',
    find: 'await this.#journal.free(this.#older.position);',
    replace: 'await this.#journal.free(this.#journal.position);',
  },
  {
    name: 'write the checkpoint before the segments',
    file: 'log/disk-partition-log.js',
    find: 'await this.#flushNow();\n            await this.#segments.sync();',
    replace: 'void this.#flushNow().then(() => this.#segments.sync()).catch(() => {});',
  },
  {
    name: 'try a failed sync again',
    file: 'log/strict-files.js',
    find: 'return this.#file.sync().catch(this.#files.always);',
    replace: 'return this.#file.sync().catch(() => this.#file.sync());',
  },
  {
    name: 'go on after a failed write',
    file: 'log/strict-files.js',
    find: '.catch(this.#syncWrites ? this.#files.always : this.#files.unlessShort);',
    replace: '.catch(() => {});',
  },
  {
    name: 'go on after a failed directory sync',
    file: 'log/strict-files.js',
    find: 'return this.always(error);',
    replace: 'return;',
  },
  {
    name: 'readers see what is not durable',
    file: 'log/disk-partition-log.js',
    find: 'this.#sealed.push(batch);',
    replace: 'this.#recent.add(batch); this.#durableEnd = batch.endOffset;',
  },
  // ---- the log: recovery
  {
    name: 'ignore the checksums of a commit',
    file: 'log/journal-replay.js',
    find: 'intact &&= entry.intact;',
    replace: ';',
  },
  {
    name: "ignore the checksum of a commit's header",
    file: 'log/commit.js',
    find: 'headerCrc(buffer, start, tableEnd) !== readU32(buffer, start + commitCrcAt)',
    replace: 'false',
    tests: ['log/commit.test.js', 'log/bit-flip.test.js'],
  },
  {
    name: 'truncate the journal at damage in its middle',
    file: 'log/journal-replay.js',
    find: 'this.#replayDamaged(this.#suspect);',
    replace: 'return;',
    tests: ['log/bit-flip.test.js', 'log/recovery.test.js'],
  },
  {
    name: 'ignore the checksum of a batch',
    file: 'log/batch.js',
    find: 'crc32c(buffer, start + batchAttributesAt, end) === readU32(buffer, start + batchCrcAt)',
    replace: 'true',
    tests: ['log/batch.test.js', 'log/segment.test.js', 'log/bit-flip.test.js'],
  },
  {
    name: 'found: a data directory that was there is taken to be on disk',
    file: 'log/data-dir.js',
    find: 'made.length > 0 ? made : [dir]',
    replace: 'made',
    tests: ['log/data-dir.test.js'],
  },
  {
    name: 'found: an index is made for a segment that is taken away',
    file: 'log/segment.js',
    find: 'await this.#examining?.catch(() => { });',
    replace: ';',
    tests: ['log/compaction.test.js'],
  },
  {
    name: 'delete what is unknown',
    file: 'log/quarantine.js',
    find: 'await this.#files.rename(path, `${this.#dataDir}/${kept}`);',
    replace: 'await this.#files.remove(path);',
    tests: ['log/data-dir.test.js', 'log/recovery.test.js', 'log/checkpoint.test.js'],
  },
  {
    name: 'trust segments that were not synced',
    file: 'log/survey.js',
    find: 'await this.#files.rename(`${dir}/${name}`, `${dir}/${name}${asideSuffix}`);',
    replace: ';',
  },
  {
    name: 'trust the last commit after a failed write',
    file: 'log/startup.js',
    find: 'await makeSure(context, found, replayed);',
    replace: ';',
  },
  {
    name: 'compact without a word in the journal',
    file: 'log/disk-partition-log.js',
    find: 'await context.recordDurably(LogEntryKind.compacted, this.id, offsetsEntry(baseOffset, bytes, rewrite));',
    replace: ';',
  },
  {
    name: 'compaction keeps the wrong messages',
    file: 'broker/compactor.js',
    find: 'partition.isNeeded(offset)',
    replace: 'partition.isNeeded(offset + 1)',
  },
  // ---- the broker: publishing
  {
    name: 'tell publishers when the commit is sealed',
    file: 'broker/commit-cycle.js',
    find: '[this.#open, this.#sealed] = [this.#sealed, this.#open];',
    replace: '[this.#open, this.#sealed] = [this.#sealed, this.#open]; this.#sealed.publishes.committed();',
  },
  {
    name: 'forget dedupe ids in the journal',
    file: 'broker/broker.js',
    find: 'this.#log.record(EntryKind.dedupeId, topic.id, this.#scratch.view());',
    replace: ';',
  },
  {
    name: 'forget dedupe ids on checkpoint',
    file: 'broker/catalog.js',
    find: 'add(EntryKind.dedupeId, topic.id, written());',
    replace: ';',
  },
  {
    name: 'forget delayed messages on checkpoint',
    file: 'broker/catalog.js',
    find: 'add(EntryKind.scheduled, partitionId, written());',
    replace: ';',
  },
  {
    name: 'look away when the last offset is another',
    file: 'broker/admission.js',
    find: 'if (expectedLastOffset !== undefined && expectedLastOffset !== lastOffset) {',
    replace: 'if (expectedLastOffset !== undefined && expectedLastOffset < lastOffset) {',
  },
  {
    name: 'deliveries ask for no commit',
    file: 'broker/commit-cycle.js',
    find: "else if (urgency === 'soon' && !this.#isDelaying) {",
    replace: 'else if (false) {',
  },
  {
    name: 'a removed message stays pending',
    file: 'broker/topic.js',
    find: 'group.noteGone(partition.index, from, to);',
    replace: ';',
  },
  {
    name: 'a trim tells no group',
    file: 'broker/partition.js',
    find: 'this.topic.noteGone(this, first, to);',
    replace: ';',
  },
  {
    name: 'a purge leaves delayed messages',
    file: 'broker/purge.js',
    find: 'const takesDelayed = before === undefined && keep === undefined;',
    replace: 'const takesDelayed = false;',
  },
  {
    name: 'what is taken back of the schedule is not in the journal',
    file: 'broker/broker.js',
    find: 'this.#log.record(EntryKind.scheduleTrimmed, 0, this.#scratch.view());',
    replace: ';',
    tests: ['broker/delayed.test.js'],
  },
  {
    name: 'a deleted topic leaves delayed messages',
    file: 'broker/definitions.js',
    find: 'void core.unschedule(partition);',
    replace: ';',
    tests: ['broker/delayed.test.js'],
  },
  {
    name: 'delayed messages of one due time come in the order of the heap',
    file: 'broker/due-heap.js',
    find: 'return dueMs < otherMs || (dueMs === otherMs && offset < this.#slots[slot * fields + 1]);',
    replace: 'return dueMs < otherMs;',
    tests: ['broker/delayed.test.js'],
  },
  {
    name: 'past the watermark no checkpoint gives room',
    file: 'log/log.js',
    find: 'if (!isShort || !this.#checkpointer.givesRoom)',
    replace: 'if (true)',
    tests: ['broker/full-disk.test.js'],
  },
  {
    name: 'what is told of a topic is not on disk yet',
    file: 'broker/partition.js',
    find: 'return this.liveIn(this.#first, this.log.durableEnd);',
    replace: 'return this.count;',
    tests: ['broker/told-is-durable.test.js'],
  },
  {
    name: 'a lowered maxDeliver waits for one delivery more',
    file: 'broker/group.js',
    find: 'this.#answers.giveUpExhausted(position);',
    replace: ';',
    tests: ['broker/group-limits.test.js'],
  },
  {
    name: 'a shortened ackWait waits for the next delivery',
    file: 'broker/group.js',
    find: 'position.pending.rewait((deliveries) => this.deadlineMs(deliveries));',
    replace: ';',
    tests: ['broker/group-limits.test.js'],
  },
  {
    name: 'a lowered maxInFlight waits for redeliveries to be over',
    file: 'broker/delivery-pump.js',
    find: 'if (position.pending.inFlight >= maxInFlight)',
    replace: 'if (false)',
    tests: ['broker/group-limits.test.js'],
  },
  {
    name: 'messages due together come again in the order of the heap',
    file: 'broker/deadlines.js',
    find: 'a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.offset < b.offset)',
    replace: 'a.dueMs < b.dueMs',
    tests: ['broker/group-limits.test.js'],
  },
  {
    name: 'a topic that was deleted comes back',
    file: 'broker/definitions.js',
    find: 'this.#context.log().record(EntryKind.topicDeleted, topic.id, nothing);',
    replace: ';',
  },
  // ---- the broker: deliveries
  {
    name: 'forget an ack in the journal',
    file: 'broker/answers.js',
    find: 'if (this.#group.isStored)\n            position.changes.done.add(entry.offset);',
    replace: ';',
  },
  {
    name: 'ack floor one too high after a checkpoint',
    file: 'broker/catalog.js',
    find: 'pending.push(entry.offset, entry.deliveries);',
    replace: 'if (entry.offset !== position.ackFloor) pending.push(entry.offset, entry.deliveries);',
  },
  {
    name: 'forget how often a message was delivered',
    file: 'broker/delivery-pump.js',
    find: 'position.changes.deliveries.push(entry.offset, entry.deliveries + 1);',
    replace: ';',
  },
  {
    name: 'expire deadlines early',
    file: 'broker/group.js',
    find: 'return ackWaitMs;',
    replace: 'return ackWaitMs * 0.8;',
  },
  {
    name: 'redeliver before the delay is over',
    file: 'broker/answers.js',
    find: 'nowMs + Math.min(delayMs, waitMsMax)',
    replace: 'nowMs + Math.min(delayMs / 2, waitMsMax)',
  },
  {
    name: 'dead letter one delivery too late',
    file: 'broker/answers.js',
    find: 'maxDeliver !== undefined && attempts >= maxDeliver',
    replace: 'maxDeliver !== undefined && attempts > maxDeliver',
  },
  {
    name: 'dead letter twice',
    file: 'broker/dead-letter.js',
    find: 'topic.appendAccepted(record, topic.partitions.at(0));',
    replace:
      'topic.appendAccepted(record, topic.partitions.at(0)); topic.appendAccepted(record, topic.partitions.at(0));',
  },
  {
    name: 'a dead letter stays in its queue',
    file: 'broker/dead-letter.js',
    find: 'letter.moved();',
    replace: 'if (!message) letter.moved();',
  },
  {
    name: 'what was put back stays a dead letter',
    file: 'broker/redrive.js',
    find: 'partition.remove(record.offset);',
    replace: ';',
  },
  {
    name: 'a stale receipt settles the message that another consumer has',
    file: 'broker/group.js',
    find: 'return entry?.deliveries === delivery &&',
    replace: 'return entry !== undefined &&',
    tests: ['broker/receipt.test.js'],
  },
  {
    name: 'a receipt of an earlier run settles a delivery of this one',
    file: 'broker/group.js',
    find: '(isOfThisRun || entry.sequence === 0)',
    replace: 'true',
    tests: ['broker/receipt.test.js'],
  },
  {
    name: 'what a leaving consumer gives back counts as a failure',
    file: 'broker/answers.js',
    find: 'entry.released++;',
    replace: ';',
    tests: ['broker/receipt.test.js'],
  },
  {
    name: 'a publish to all stays in the topics that were asked before the one that is full',
    file: 'broker/publish-to-all.js',
    find: "else if (mode === 'all-or-none')\n            return listener.refused(token, error);",
    replace:
      "else if (mode === 'all-or-none') {\n            for (const { topic: asked, admission: decided } of admitted)\n                asked.append(decided, record, deaf, undefined);\n            return listener.refused(token, error);\n        }",
    tests: ['broker/publish-to-all.test.js'],
  },
  {
    name: 'ignore filters',
    file: 'broker/group-partition.js',
    find: 'if (this.#filter && !this.#filter.matchesRecord(record)) {',
    replace: 'if (false) {',
  },
  {
    name: 'ignore order per key',
    file: 'broker/group-partition.js',
    find: 'if (this.#ordered && this.#holdBack(record))',
    replace: 'if (false)',
  },
  {
    name: 'one more in flight than allowed',
    file: 'broker/delivery-pump.js',
    find: 'position.pending.size - position.held >= maxInFlight',
    replace: 'position.pending.size - position.held > maxInFlight',
  },
  // ---- the broker: removal
  {
    name: 'a queue forgets its other groups',
    file: 'broker/ack-retention.js',
    find: 'if (groups.size > 1) {',
    replace: 'if (false) {',
  },
  {
    name: 'age takes one message too many',
    file: 'broker/age-retention.js',
    find: 'partition.trim(record.offset);',
    replace: 'partition.trim(record.offset + 1);',
  },
  {
    name: 'size takes one message too many',
    file: 'broker/size-retention.js',
    find: 'partition.trim(partition.offsetOfLast(count));',
    replace: 'partition.trim(partition.offsetOfLast(count - 1));',
  },
  // ---- bugs the simulation found, put back
  {
    name: 'found: index files of a compacted segment come back',
    file: 'log/partition-segments.js',
    find: 'this.#dirUnsynced = true; // the next checkpoint may know',
    replace: '// the next checkpoint may know',
  },
  {
    name: 'found: a sweep in the middle of the replay',
    file: 'broker/ack-retention.js',
    find: 'this.#sweepAgain = this.#sweeping || this.#core.recovering;',
    replace: 'this.#sweepAgain = this.#sweeping;',
  },
  {
    name: 'found: what damage took is loaded again and again',
    file: 'broker/group-partition.js',
    find: 'if (!batch || batch.baseOffset > offset) {',
    replace: 'if (!batch) {',
  },
  {
    name: 'found: a torn commit stays where it was cut',
    file: 'log/journal-replay.js',
    find: 'await this.#erase(position);',
    replace: ';',
    tests: ['log/recovery.test.js'],
  },
  {
    name: 'found: a segment is looked at while it grows',
    file: 'log/segment.js',
    find: 'walkSegment(buffer.subarray(0, count), bytes, baseOffset, endOffset)',
    replace: 'walkSegment(buffer.subarray(0, count), this.bytes, baseOffset, this.endOffset)',
    tests: ['log/segment.test.js'],
  },
  {
    name: 'found: what the process before removed comes back',
    file: 'log/startup.js',
    find: 'partitions.oweDirSyncs(',
    replace: '((_) => {})(',
    tests: ['log/recovery.test.js'],
  },
  {
    name: 'found: what was held behind its key stands at the end after a crash',
    file: 'broker/entries.js',
    find: 'if (pending.length > delivered)',
    replace: 'if (false)',
    tests: ['simulation/regressions.test.js'],
  },
  {
    name: 'found: how far the last of each key were delivered is forgotten',
    file: 'broker/group-partition.js',
    find: 'this.#backfillAt++;\n            this.cursorMoved = true;',
    replace: 'this.#backfillAt++;',
    tests: ['simulation/regressions.test.js'],
  },
  {
    name: 'found: a restart delivers at once what its consumer may still answer',
    file: 'broker/group.js',
    find: "redeliverAfterRestart === 'at-deadline'",
    replace: 'false',
    tests: ['broker/group-position.test.js'],
  },
  {
    name: 'found: what lies before a position beyond the end counts as its lag',
    file: 'broker/group.js',
    find: 'if (offset >= position.cursor)\n            position.filteredLag++;',
    replace: 'position.filteredLag++;',
    tests: ['broker/group-position.test.js'],
  },
  {
    name: 'found: how far a group delivered is where its cursor got to, after a restart',
    file: 'broker/catalog.js',
    find: 'stored.delivered ?? stored.cursor',
    replace: 'stored.cursor',
    tests: ['broker/group-position.test.js'],
  },
  {
    name: 'found: stored headers lose the bytes that a list of them cannot hold',
    file: 'wire/nats/headers.js',
    find: 'if (isBlock(block))',
    replace: 'if (false)',
    tests: ['wire/nats/stored-headers.test.js'],
  },
  {
    name: 'found: offsets of messages in memory outlive them',
    file: 'broker/catalog.js',
    find: 'stored.backfill && !isGone',
    replace: 'stored.backfill',
    tests: ['simulation/regressions.test.js'],
  },
  {
    name: 'found: the process ends when the system does not tell its memory',
    file: 'broker/watermarks.js',
    find: '// unknown: as it was at the last look',
    replace: "throw new Error('the memory of the process is unknown');",
  },
  {
    name: 'found: a password can be guessed as fast as connections come',
    file: 'protocols/connections/login-throttle.js',
    find: 'failures.count++;',
    replace: ';',
    tests: ['protocols/connections/login-throttle.test.js'],
  },
  {
    name: 'found: one connection a turn, however many come',
    file: 'protocols/connections/listener.js',
    find: 'for (const copy of copies)',
    replace: 'for (const copy of [])',
    tests: ['protocols/connections/listener.test.js'],
  },
  ...kafkaPlantedBugs,
];
