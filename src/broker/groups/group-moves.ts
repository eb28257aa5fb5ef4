import { Mutex } from '../../util/index.ts';
import type { Answers } from './answers.ts';
import { BrokerError } from '../errors.ts';
import type { GroupStart } from './group-config.ts';
import type { GroupPartition } from './group-partition.ts';
import { countLag, startPosition } from './group-start.ts';
import type { GroupHost, GroupState } from './group-state.ts';
import { PendingState } from './pending.ts';

/** More messages than this are not counted again at a start, because that would read them all. */
const recountMessagesMax = 1_000_000;

/**
 * Group moves set the positions of a group other than by deliveries: to the start of a new group, to another
 * position on request, to a committed offset, and to the stored position after a restart. Moves are made one
 * after another.
 */
export class GroupMoves {
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #answers: Answers;
  readonly #begin: () => void;
  readonly #moves = new Mutex();

  /** `begin` starts deliveries and timers, or starts them again. */
  constructor(state: GroupState, host: GroupHost, answers: Answers, begin: () => void) {
    this.#state = state;
    this.#host = host;
    this.#answers = answers;
    this.#begin = begin;
  }

  /** Goes to the start position. Messages published meanwhile count as new. */
  async start(): Promise<void> {
    await this.#moves.run(async () => {
      this.#openFor(this.#state.config.start);
      for (const position of this.#state.positions.opened.slice())
        await startPosition(position, this.#state.filter, this.#state.config.start);
    });
    this.#begin();
  }

  /**
   * On a partition without any writes the position is 0, with no object for it, unless the group is to wait
   * for an offset.
   */
  #openFor(start: GroupStart): void {
    const waits = start.kind === 'offset' && start.beyondEnd === true && start.offset > 0;
    if (waits) for (const index of this.#state.topic.partitions.indexes()) this.#state.positions.at(index);
  }

  /**
   * After recovery: redelivers pending messages, at once or when their wait is over. A message after its last
   * delivery always waits, and may be answered until then, so that it is never delivered more than maxDeliver
   * times.
   */
  recovered(): void {
    const { maxDeliver = Infinity, redeliverAfterRestart } = this.#state.config;
    const staysOut = redeliverAfterRestart === 'at-deadline';
    const { clock, steady } = this.#host;
    const nowMs = clock.monotonic();
    const steadyMs = steady.now();
    const steadyOf = (wallMs: number): number => steady.of(wallMs);
    for (const position of this.#state.positions.opened) {
      const { pending, partition } = position;
      for (const entry of pending.values()) {
        if (position.byLevel) entry.level = partition.levels?.of(entry.offset) ?? 0;
        const isGone = entry.offset < partition.nextOffset && !partition.isLive(entry.offset);
        if (isGone) position.settle(entry); // left by a version that kept such entries until their deadline
        else if (entry.attempts >= maxDeliver || (staysOut && entry.deliveries > 0))
          pending.resume(entry, nowMs, this.#state.deadlineMs(entry.deliveries), steadyMs, steadyOf);
        else pending.makeReady(entry);
      }
      pending.recovered();
    }
  }

  /**
   * After recovery: a message that is still with a consumer of the previous run holds its key (`ordering:
   * 'key'`), so that no later message of the key is delivered beside it.
   */
  async lockResumedKeys(): Promise<void> {
    if (this.#state.config.ordering !== 'key') return;
    for (const position of this.#state.positions.opened)
      for (const { offset, state } of position.pending.values())
        if (state === PendingState.inFlight)
          await position.noteStillOut(offset, this.#host.clock.monotonic());
  }

  /**
   * After recovery: counts the lag again, because recovery subtracts some removals that the stored count
   * already excludes. A very large lag is not counted again.
   */
  async recountRecovered(partition: number): Promise<void> {
    const position = this.#state.positions.at(partition)!;
    if (this.#state.filter && position.partition.liveFrom(position.cursor) <= recountMessagesMax)
      await countLag(position, this.#state.filter);
  }

  /**
   * Starts over from another position. Pending messages are forgotten, and deliveries are counted from 1
   * again.
   */
  async reset(start: GroupStart): Promise<void> {
    await this.#move(async () => {
      this.#state.deliverySequence = 0;
      this.#state.lastDeliveredMs = undefined;
      this.#state.lastAckMs = undefined;
      this.#openFor(start);
      // Clients ask for committed offsets by partition, including empty ones.
      if (this.#state.isCommitted)
        for (const index of this.#state.topic.partitions.indexes()) this.#state.positions.at(index);
      for (const position of this.#state.positions.opened.slice()) {
        await startPosition(position, this.#state.filter, start);
        position.moves++;
        if (this.#state.isCommitted) position.committed = { offset: position.cursor, metadata: '' };
      }
    });
  }

  /**
   * Starts over on some partitions, each at its offset, as one move. Pending messages there are forgotten.
   * Resolves once the move is durable.
   */
  async resetPartitions(offsets: Iterable<readonly [partition: number, offset: number]>): Promise<void> {
    const moves = Array.from(
      offsets,
      ([partition, offset]) => [this.#positionOf(partition), offset] as const,
    );
    await this.#move(async () => {
      for (const [position, offset] of moves) {
        await startPosition(position, this.#state.filter, { kind: 'offset', offset });
        position.moves++;
        if (this.#state.isCommitted) position.committed = { offset, metadata: '' };
      }
    });
  }

  /**
   * Moves positions; resolves once the move is durable. Deliveries stop as soon as a move is requested.
   * Otherwise a message delivered from the old position could be delivered again from the new one. Moves are
   * made one after another. If one fails, the group continues from its current positions.
   */
  async #move(work: () => Promise<void>): Promise<void> {
    this.#state.checkOpen();
    this.#state.moving++;
    await this.#moves.run(async () => {
      try {
        await work();
      } finally {
        this.#state.moving--;
        this.#state.topic.expiry.releasedAll();
        if (!this.#state.closed) {
          this.#host.defineGroup(this.#state.group);
          this.#begin();
        }
      }
    });
    await this.#state.committed();
  }

  /**
   * Marks everything of the partition below `offset` as done; the next commit carries it. The offset may go
   * back. An offset below 0 is stored, but moves nothing. `epoch` is the log epoch that the committing client
   * knows. Only for groups with committed positions; other groups use acks.
   */
  commitOffset(partition: number, offset: number, metadata: string = '', epoch?: number): void {
    this.#state.checkOpen();
    if (!this.#state.isCommitted) {
      const problem = `Group "${this.#state.group.name}" of topic "${this.#state.topic.name}" delivers messages and is told by acks what is done.`;
      throw new BrokerError('not-allowed', `${problem} Commit offsets under another group name.`, {
        topic: this.#state.topic.name,
        group: this.#state.group.name,
      });
    }
    const position = this.#positionOf(partition);
    const before = position.cursor;
    position.commit({ offset, metadata, ...(epoch === undefined ? {} : { epoch }) });
    this.#answers.passed(position, before);
    this.#state.noteChange('now');
  }

  /** Forgets the committed offset of a partition. Resolves once that is durable. */
  async forgetOffset(partition: number): Promise<void> {
    this.#state.checkOpen();
    this.#positionOf(partition).forgetCommitted();
    this.#host.defineGroup(this.#state.group);
    await this.#state.committed();
  }

  #positionOf(partition: number): GroupPartition {
    const position = this.#state.positions.at(partition);
    if (position) return position;
    throw new BrokerError(
      'offset-not-found',
      `Topic "${this.#state.topic.name}" has no partition ${partition}.`,
    );
  }

  /** Counts the lag again after the filter changed. */
  async recountLag(): Promise<void> {
    await this.#moves.run(async () => {
      for (const position of this.#state.positions.opened.slice())
        if (this.#state.filter) await countLag(position, this.#state.filter);
    });
    // The next commit carries the count.
    for (const position of this.#state.positions.opened) position.cursorMoved = true;
    this.#state.noteChange('now');
  }
}
