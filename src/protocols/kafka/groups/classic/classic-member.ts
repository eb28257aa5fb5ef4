import type { JoinAnswer, JoinRequest, MemberProtocol, SyncAnswer } from './messages.ts';

const noBytes = Buffer.alloc(0);

/**
 * A member of a classic group: a client, the protocols it offered when it joined, its assignment from the
 * leader, and the answer it waits for.
 */
export class ClassicMember {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs = 0;
  rebalanceTimeoutMs = 0;
  protocolType = '';
  protocols: readonly MemberProtocol[] = [];
  /** The partitions assigned by the leader, as bytes that only members understand. */
  assignment: Buffer = noBytes;
  /**
   * The member is removed if it sends nothing until then (monotonic clock), unless it waits for an answer.
   */
  deadlineMs: number = Infinity;
  /** The member has not been part of a generation yet. */
  isNew = true;
  /** The join or sync that waits for an answer. */
  join: JoinAnswer | undefined = undefined;
  sync: SyncAnswer | undefined = undefined;

  constructor(id: string, request: JoinRequest) {
    this.id = id;
    this.instanceId = request.groupInstanceId;
    this.clientId = request.clientId;
    this.clientHost = request.clientHost;
    this.update(request);
  }

  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs;
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    this.protocolType = request.protocolType;
    // The request's bytes are views of its frame, which is not ours to keep.
    this.protocols = request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: Buffer.from(metadata),
    }));
  }

  get isWaiting(): boolean {
    return this.join !== undefined || this.sync !== undefined;
  }

  /** Bytes in memory. */
  get bytes(): number {
    return protocolBytes(this.protocols) + this.assignment.length;
  }

  metadataOf(protocol: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes;
  }

  /** Whether these protocols equal the ones offered before. */
  offers(protocols: readonly MemberProtocol[]): boolean {
    if (protocols.length !== this.protocols.length) return false;
    return this.protocols.every(({ name, metadata }, at) => {
      const other = protocols[at]!;
      return other.name === name && metadata.equals(other.metadata);
    });
  }
}

export function protocolBytes(protocols: readonly MemberProtocol[]): number {
  let bytes = 0;
  for (const { name, metadata } of protocols) bytes += name.length + metadata.length;
  return bytes;
}
