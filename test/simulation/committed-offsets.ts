/** A position that a client asked to commit. */
export class Commit {
  readonly offset: number;
  /** Says which commit it was. */
  readonly metadata: string;
  readonly askedAt: number;
  run: number;
  /** Index of the event from which on it is sure to be done: it was answered, or seen after a restart. */
  doneAt: number = Infinity;
  /** From then on it cannot take effect any more that it has not taken. */
  settledAt: number = Infinity;
  isRefused = false;

  constructor(offset: number, metadata: string, askedAt: number, run: number) {
    this.offset = offset;
    this.metadata = metadata;
    this.askedAt = askedAt;
    this.run = run;
  }

  /** The client had no answer, and asks another broker. */
  askAgain(run: number): void {
    this.run = run;
    if (this.doneAt === Infinity) this.settledAt = Infinity;
  }

  /** It was answered. */
  settle(at: number, isRefused: boolean): void {
    this.isRefused = isRefused;
    if (!isRefused) this.doneAt = Math.min(this.doneAt, at);
    this.settledAt = Math.min(this.settledAt, at);
  }
}

/**
 * Committed offsets are the clients' knowledge of the position of one Kafka group in one partition: the
 * commits requested, and which of them may be the valid one. An answered commit stays until a later one
 * replaces it, through any crash.
 */
export class CommittedOffsets {
  #commits: Commit[] = [];

  ask(offset: number, metadata: string, askedAt: number, run: number): Commit {
    const commit = new Commit(offset, metadata, askedAt, run);
    this.#commits.push(commit);
    return commit;
  }

  /** The broker is gone: requests in progress have no further effect. */
  restarted(at: number): void {
    for (const commit of this.#commits) commit.settledAt = Math.min(commit.settledAt, at);
  }

  forget(): void {
    this.#commits = [];
  }

  /** A client asked at `since` and got this position, or none. Returns what is wrong with that. */
  seen(offset: number, metadata: string, since: number, run: number, at: number): string | undefined {
    const before = this.#last(since);
    if (offset < 0) return before && `nothing is committed, but ${before.offset} (${before.metadata}) was`;
    const commit = this.#commits.find((one) => one.offset === offset && one.metadata === metadata);
    if (!commit || commit.isRefused) return `${offset} (${metadata}) is committed, and nobody was told so`;
    if (before && this.#isReplaced(commit, since))
      return `${offset} (${metadata}) is committed, but ${before.offset} (${before.metadata}) was later`;
    if (commit.run !== run) commit.doneAt = Math.min(commit.doneAt, at);
    return undefined;
  }

  /** The last one that is sure by then. */
  #last(by: number): Commit | undefined {
    return this.#commits.findLast(({ doneAt }) => doneAt < by);
  }

  /** A later one was sure by then. */
  #isReplaced({ settledAt }: Commit, by: number): boolean {
    return this.#commits.some(({ doneAt, askedAt }) => doneAt < by && askedAt > settledAt);
  }

  /** The message there may be done with. */
  mayPass(offset: number): boolean {
    return this.#commits.some((commit) => !commit.isRefused && commit.offset > offset);
  }

  /** The message there is done with, and nothing took that back. */
  surelyPasses(offset: number, at: number): boolean {
    if (!this.#last(at)) return false;
    return this.#commits.every(
      (commit) => commit.isRefused || commit.offset > offset || this.#isReplaced(commit, at),
    );
  }
}
