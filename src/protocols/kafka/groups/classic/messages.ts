import type { ErrorCode } from '../../../../wire/kafka/index.ts';

/** A way to share out partitions that a member knows, with what it tells the leader about itself. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A JoinGroup request, whatever its version. */
export interface JoinRequest {
  /** '' = it has none yet. */
  readonly memberId: string;
  /** Null: the member is dynamic. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** A dynamic member without an id gets one first and asks again (KIP-394, from version 4 on). */
  readonly requiresKnownId: boolean;
  /** The client knows `skipAssignment` (KIP-814, from version 9 on). */
  readonly maySkipAssignment: boolean;
}

export interface JoinResult {
  readonly errorCode: ErrorCode;
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  /** All of them, for the leader only. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** A SyncGroup request, whatever its version. */
export interface SyncRequest extends MemberKey {
  readonly generationId: number;
  /** Null: not said (before version 5). */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface SyncResult {
  readonly errorCode: ErrorCode;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

/** Who speaks. */
export interface MemberKey {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** Called exactly once, at once or when others have come. */
export type JoinAnswer = (result: JoinResult) => void;
export type SyncAnswer = (result: SyncResult) => void;
