import type { ErrorCode } from '../../../../wire/kafka/index.ts';

/** An assignment strategy that a member supports, with the member's metadata for the leader. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A JoinGroup request of any version. */
export interface JoinRequest {
  /** '' if the member has no id yet. */
  readonly memberId: string;
  /** Null for a dynamic member. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /**
   * Whether a dynamic member without an id first gets one and has to ask again (KIP-394, from version 4 on).
   */
  readonly requiresKnownId: boolean;
  /** Whether the client knows `skipAssignment` (KIP-814, from version 9 on). */
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
  /** All members if this one is the leader; otherwise empty. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** A SyncGroup request of any version. */
export interface SyncRequest extends MemberKey {
  readonly generationId: number;
  /** Null if not given (before version 5). */
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

/** The member that sent a request. */
export interface MemberKey {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** Called exactly once, at once or when other members have joined. */
export type JoinAnswer = (result: JoinResult) => void;
export type SyncAnswer = (result: SyncResult) => void;
