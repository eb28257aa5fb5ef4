import type { ApiName, RequestOf, ResponseDraft } from '../../wire/kafka/index.ts';
import type { Endpoint, KafkaHost } from './kafka-host.ts';
import type { Rights } from './security/index.ts';
import type { SessionState } from './session-state.ts';

/** Whom a handler sees of the connection that a request came by. */
export interface KafkaSession {
  /** Unique among the connections of this process. */
  readonly id: number;
  /** Once true nothing is sent any more. */
  readonly closed: boolean;
  /** Host of the client, without its port. */
  readonly address: string;
  /** Where this client is told to connect to: as configured, or the address by which it reached us. */
  readonly endpoint: Endpoint;
  /** Who has authenticated; undefined: nobody, which only an open broker allows. */
  readonly user: string | undefined;
  /** Whether it may ask for more than how to log in. */
  readonly authorized: boolean;
  /** Whether it may log in: for the first time, or again because its login ends (KIP-368). */
  readonly mayLogIn: boolean;
  /** How long a login holds, in milliseconds; 0: for good. */
  readonly loginMsMax: number;
  /** As ApiVersions told; '' before. */
  clientSoftware: string;
  clientVersion: string;
  /**
   * Begins to log in by a mechanism; false: it is not offered. `isBare`: its tokens come without a request
   * around them.
   */
  beginSasl(mechanism: string, isBare: boolean): boolean;
  /**
   * The answer to one token of the mechanism. Throws a KafkaError, and then the connection ends after the
   * answer.
   */
  saslToken(token: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Room for an answer that would have so many bytes: how many it may have, as soon as there is room at all.
   */
  takeRoom(bytes: number): number | Promise<number>;
  /**
   * Asked between two pieces of work, of those that have a next one: undefined while its turn lasts, else
   * resolves when its next turn begins, or when it is closed.
   */
  rest(): Promise<void> | undefined;
  /** Ends the connection because of what the client did. */
  fail(text: string): void;
  /**
   * What a part of the protocol keeps per connection (share sessions, …), each under a {@link SessionState}
   * of its own.
   */
  readonly states: Map<SessionState<unknown>, unknown>;
  /**
   * Calls back once when the connection has ended; at once when it has already. Returns what takes the
   * callback back.
   */
  onClose(callback: () => void): () => void;
}

/** What a request is asked with besides its body. */
export interface RequestContext {
  readonly host: KafkaHost;
  readonly session: KafkaSession;
  /** '' when the client gave none. */
  readonly clientId: string;
  readonly version: number;
  /** What the client may do, as it was when the request was begun. */
  readonly rights: Rights;
  /** Set by a handler: for how long the client is throttled because of its quota, in milliseconds. */
  throttleMs?: number;
  /**
   * Set by a handler that wants to know when its answer has left this process; not called when it never does.
   */
  sent?: () => void;
}

/**
 * A handler answers one API: it gets the request as it was read and returns the response to write. Undefined:
 * there is no answer (a produce request with acks 0). What it throws ends the connection, unless it is a
 * BrokerError or a KafkaError that its own answer can tell.
 *
 * Requests of one connection are answered in their order, but handled without waiting for each other.
 */
export type Handler<N extends ApiName> = (
  request: RequestOf<N>,
  context: RequestContext,
) => ResponseDraft<N> | Promise<ResponseDraft<N> | undefined> | undefined;

/** A table of handlers. Only APIs that have one are advertised. */
export type Handlers = { readonly [N in ApiName]?: Handler<N> };
