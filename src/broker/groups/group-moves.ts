import { Mutex } from '../../util/index.ts';
import type { Answers } from './answers.ts';
import { BrokerError } from '../errors.ts';
import type { GroupStart } from './group-config.ts';
import type { GroupPartition } from './group-partition.ts';
import { countLag, startPosition } from './group-start.ts';
import type { GroupHost, GroupState } from './group-state.ts';
import { PendingState } from './pending.ts';

/** More than that are not counted again at a start: it would have to read them. */
const recountMessagesMax = 1_000_000;

/**
 * Group moves place a group somewhere else than its deliveries would take it: at its start, at another
 * position on request, where its consumers committed, and where it stood before a restart. One move is made
 * after the other.
 */
export class GroupMoves {
  readonly #state: GroupState;
  readonly #host: GroupHost;
  readonly #answers: Answers;
  readonly #begin: () => void;
  readonly #moves = new Mutex();

  /** `begin`: deliveries and timers begin, or begin again. */
  constructor(state: GroupState, host: GroupHost, answers: Answers, begin: () => void) {
    this.#state = state;
    this.#host = host;
    this.#answers = answers;
    this.#begin = begin;
  }

  /** Takes the start position. Messages published meanwhile count as new. */
  async start(): Promise<void> {
    await this.#moves.run(async () => {
      this.#openFor(this.#state.config.start);
      for (const position of this.#state.positions.opened.slice())
        await startPosition(position, this.#state.filter, this.#state.config.start);
    });
    this.#begin();
  }

  /** A position that nothing was written for yet begins at 0, unless it is to wait for an offset. */
  #openFor(start: GroupStart): void {
    const waits = start.kind === 'offset' && start.beyondEnd === true && start.offset > 0;
    if (waits) for (const index of this.#state.topic.partitions.indexes()) this.#state.positions.at(index);
  }

  /**
   * After recovery: what was pending goes out again, at once or when its wait is over. What had its last
   * delivery may still be answered until then in any case, so that it is never delivered more than maxDeliver
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
        const isGone = entry.offset < partition.nextOffset && !partition.isLive(entry.offset);
        if (isGone) position.settle(entry); // by a broker that kept such entries until their deadline
        else if (entry.attempts >= maxDeliver || (staysOut && entry.deliveries > 0))
          pending.resume(entry, nowMs, this.#state.deadlineMs(entry.deliveries), steadyMs, steadyOf);
        else pending.makeReady(entry);
      }
      pending.recovered();
    }
  }

  /**
   * After recovery: a message that is still with a consumer of the run before holds its key
   * (`ordering: 'key'`), so that no later message of the key goes beside it.
   */
  async lockResumedKeys(): Promise<void> {
    if (this.#state.config.ordering !== 'key') return;
    for (const position of this.#state.positions.opened)
      for (const { offset, state } of position.pending.values())
        if (state === PendingState.inFlight) await position.lockKeyOf(offset);
  }

  /**
   * After recovery: the count that was stored had been taken less removals that recovery accounts for once
   * more. A count of very many messages is left as it is.
   */
  async recountRecovered(partition: number): Promise<void> {
    const position = this.#state.positions.at(partition)!;
    if (this.#state.filter && position.partition.liveFrom(position.cursor) <= recountMessagesMax)
      await countLag(position, this.#state.filter);
  }

  /**
   * Starts over from another position; what was pending is forgotten, and deliveries are counted from 1
   * again.
   */
  async reset(start: GroupStart): Promise<void> {
    await this.#move(async () => {
      this.#state.deliverySequence = 0;
      this.#state.lastDeliveredMs = undefined;
      this.#state.lastAckMs = undefined;
      this.#openFor(start);
      // What is committed is asked for by partition, of empty ones too.
      if (this.#state.isCommitted)
        for (const index of this.#state.topic.partitions.indexes()) this.#state.positions.at(index);
      for (const position of this.#state.positions.opened.slice()) {
        await startPosition(position, this.#state.filter, start);
        if (this.#state.isCommitted) position.committed = { offset: position.cursor, metadata: '' };
      }
    });
  }

  /**
   * Starts over on some partitions, each at its offset, by one move; what was pending there is forgotten.
   * Resolves once that is durable.
   */
  async resetPartitions(offsets: Iterable<readonly [partition: number, offset: number]>): Promise<void> {
    const moves = Array.from(
      offsets,
      ([partition, offset]) => [this.#positionOf(partition), offset] as const,
    );
    await this.#move(async () => {
      for (const [position, offset] of moves) {
        await startPosition(position, this.#state.filter, { kind: 'offset', offset });
        if (this.#state.isCommitted) position.committed = { offset, metadata: '' };
      }
    });
  }

  /**
   * Moves positions; resolves once that is durable. From when it is asked for nothing is delivered: what came
   * from a position to be left would come again from the next. One move is made after the other, and when one
   * fails the group goes on from where its positions are.
   */
  async #move(work: () => Promise<void>): Promise<void> {
    this.#state.checkOpen();
    this.#state.moving++;
    await this.#moves.run(async () => {
      try {
        await work();
      } finally {
        this.#state.moving--;
        if (!this.#state.closed) {
          this.#host.defineGroup(this.#state.group);
          this.#begin();
        }
      }
    });
    await this.#state.committed();
  }

  /**
   * Everything of the partition below `offset` is done; the next commit carries it. Offsets may go back; one
   * below 0 is kept as it is, and moves nothing. `epoch`: of the log that was read, as the committer knows
   * it. Only for groups with committed positions: others know by their acks.
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

  /** Forgets what was committed for a partition, as if nothing had been. Resolves once that is durable. */
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

  /** Counts anew what the group has still to deliver, after its filter changed. */
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
