import { ClassicGroup } from '../../../../src/protocols/kafka/groups/classic/classic-group.ts';
import type {
  JoinRequest,
  JoinResult,
  SyncResult,
} from '../../../../src/protocols/kafka/groups/classic/messages.ts';
import { freeCharge } from './free-charge.ts';
import { groupLimits, type GroupLimits } from '../../../../src/protocols/kafka/groups/limits.ts';
import { SeededRandom, VirtualClock } from '../../../../src/util/index.ts';
import type { ErrorCode } from '../../../../src/wire/kafka/index.ts';
import { errorName } from '../../../../src/wire/kafka/index.ts';

export const noBytes: Buffer = Buffer.alloc(0);

/** A classic group on a clock that moves only when told, with members that speak one line at a time. */
export class ClassicKit {
  readonly clock: VirtualClock = new VirtualClock();
  readonly group: ClassicGroup;
  /** The states that the group reported to the coordinator. */
  readonly changes: string[] = [];

  constructor(limits: Partial<GroupLimits> = {}) {
    this.group = new ClassicGroup('g', {
      clock: this.clock,
      random: new SeededRandom(7),
      limits: groupLimits(limits),
      charge: () => freeCharge,
      changed: (group) => void this.changes.push(group.state),
    });
  }

  /** Begins to join; the result is there once the group has answered. */
  join(request: Partial<JoinRequest> = {}): Pending<JoinResult> {
    const pending = new Pending<JoinResult>();
    const protocols = request.protocols ?? [{ name: 'range', metadata: Buffer.from('m') }];
    this.group.join(
      {
        memberId: '',
        groupInstanceId: null,
        clientId: 'client',
        clientHost: '/127.0.0.1',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 60_000,
        protocolType: 'consumer',
        requiresKnownId: true,
        maySkipAssignment: true,
        ...request,
        protocols,
      },
      pending.settle,
    );
    return pending;
  }

  /** Gets an id and joins with it. */
  enter(request: Partial<JoinRequest> = {}): Pending<JoinResult> & { readonly id: string } {
    if (typeof request.groupInstanceId === 'string') return Object.assign(this.join(request), { id: '' });
    const { memberId: id } = this.join(request).value;
    return Object.assign(this.join({ ...request, memberId: id }), { id });
  }

  sync(
    memberId: string,
    shares: { readonly [memberId: string]: string } = {},
    generationId: number = this.group.generation,
    groupInstanceId: string | null = null,
  ): Pending<SyncResult> {
    const pending = new Pending<SyncResult>();
    this.group.sync(
      {
        memberId,
        groupInstanceId,
        generationId,
        protocolType: null,
        protocolName: null,
        assignments: Object.entries(shares).map(([id, share]) => ({
          memberId: id,
          assignment: Buffer.from(share),
        })),
      },
      pending.settle,
    );
    return pending;
  }

  heartbeat(
    memberId: string,
    generationId: number = this.group.generation,
    groupInstanceId: string | null = null,
  ): string {
    return errorName(this.group.heartbeat({ memberId, generationId, groupInstanceId }));
  }

  leave(memberId: string, groupInstanceId: string | null = null): string {
    return errorName(this.group.leave({ memberId, groupInstanceId }));
  }

  /** NONE, or the name of the error. */
  commit(
    memberId: string,
    generationId: number = this.group.generation,
    groupInstanceId: string | null = null,
  ): string {
    try {
      this.group.checkCommit({ memberId, generationId, groupInstanceId });
      return 'NONE';
    } catch (error) {
      return errorName((error as { code: ErrorCode }).code);
    }
  }

  /** A group of so many that is stable; returns the ids, the leader's first. */
  stable(count: number, request: Partial<JoinRequest> = {}): string[] {
    const joins = Array.from({ length: count }, () => this.enter(request));
    const ids = joins.map(({ id }) => id);
    // All but the last are told of the rebalance and join again.
    for (const id of ids.slice(0, -1))
      if (!this.group.members.get(id)!.join) this.join({ ...request, memberId: id });
    const leader =
      ids.find((id) => this.group.members.get(id)!.join === undefined && this.isLeader(id)) ?? ids[0]!;
    for (const id of ids) if (id !== leader) this.sync(id);
    this.sync(leader, Object.fromEntries(ids.map((id, at) => [id, `share ${at}`])));
    return [leader, ...ids.filter((id) => id !== leader)];
  }

  isLeader(id: string): boolean {
    return this.group.members.keys().next().value === id;
  }
}

/** An answer that may still be awaited. */
export class Pending<T> {
  readonly results: T[] = [];
  readonly settle = (result: T): void => void this.results.push(result);

  get isWaiting(): boolean {
    return this.results.length === 0;
  }

  get value(): T {
    if (this.results.length !== 1) throw new Error(`Answered ${this.results.length} times.`);
    return this.results[0]!;
  }

  get error(): string {
    return errorName((this.value as { errorCode: ErrorCode }).errorCode);
  }
}
