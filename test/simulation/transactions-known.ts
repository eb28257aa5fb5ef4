import type { Commit, CommittedOffsets } from './committed-offsets.ts';

/** A position that a group gets with a transaction. */
interface PositionKnown {
  readonly committed: CommittedOffsets;
  readonly offset: number;
  readonly metadata: string;
}

/**
 * The clients' knowledge of a transaction: its requests, and how it ended, as far as they were told or have
 * seen.
 */
export class TransactionKnown {
  readonly number: number;
  /** Certain: it was answered, or a reader of committed messages saw a message of it. */
  isCommitted = false;
  /** Surely: its end was answered, or a commit was refused. */
  isAborted = false;
  /** A message of it that was stored, and is there no more because the transaction did not commit. */
  vanished: string | undefined = undefined;
  #commitAsked = false;
  /** The last one for each place counts. */
  readonly #positions = new Map<CommittedOffsets, PositionKnown>();
  #commits: Commit[] = [];

  constructor(number: number) {
    this.number = number;
  }

  /** Its messages may be shown to readers of committed messages. */
  get mayBeSeen(): boolean {
    return this.#commitAsked && !this.isAborted;
  }

  get isDecided(): boolean {
    return this.isCommitted || this.isAborted;
  }

  addPosition(position: PositionKnown): void {
    this.#positions.set(position.committed, position);
  }

  askCommit(at: number, run: number): void {
    if (this.#commitAsked) for (const commit of this.#commits) commit.askAgain(run);
    else
      this.#commits = [...this.#positions.values()].map(({ committed, offset, metadata }) =>
        committed.ask(offset, metadata, at, run),
      );
    this.#commitAsked = true;
  }

  commit(at: number): void {
    this.isCommitted = true;
    for (const commit of this.#commits) commit.settle(at, false);
  }

  abort(at: number): void {
    this.isAborted = true;
    for (const commit of this.#commits) commit.settle(at, true);
  }
}
