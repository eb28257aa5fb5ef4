/** A consumer of a group, as its client knows it. */
export interface AttachedKnown {
  readonly consumer: number;
  readonly member: string | undefined;
  readonly isExclusive: boolean;
  readonly isPull: boolean;
  /** When it was attached, another one was in its way. */
  readonly hasObstacle: boolean;
}

/** The precedence among the consumers of one group, in one run. */
export class PrecedenceKnown {
  readonly attached: Map<number, AttachedKnown> = new Map();
  /** The active consumer, as the broker told; it may be a pull that has ended. */
  active: AttachedKnown | undefined = undefined;
  /** The last sign of life of the active member. */
  signMs = 0;

  isActive(consumer: AttachedKnown): boolean {
    return this.active !== undefined && isSameMember(this.active, consumer);
  }
}

export function isSameMember(a: AttachedKnown, b: AttachedKnown): boolean {
  return a.consumer === b.consumer || (a.member !== undefined && a.member === b.member);
}
