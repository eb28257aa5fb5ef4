import type { ApiName, RequestOf, ResponseDraft } from '../../wire/kafka/index.ts';
import type { Endpoint, KafkaHost } from './kafka-host.ts';
import type { Rights } from './security/index.ts';
import type { SessionState } from './session-state.ts';

/** The connection of a request, as handlers see it. */
export interface KafkaSession {
  /** Unique among the connections of this process. */
  readonly id: number;
  /** Once true, nothing is sent any more. */
  readonly closed: boolean;
  /** Host of the client, without its port. */
  readonly address: string;
  /** The address given to this client to connect to: as configured, or the one by which it connected. */
  readonly endpoint: Endpoint;
  /** The authenticated user; undefined for none, which only an open broker allows. */
  readonly user: string | undefined;
  /** Whether the client may send requests other than those to log in. */
  readonly authorized: boolean;
  /** Whether the client may log in: for the first time, or again before its login expires (KIP-368). */
  readonly mayLogIn: boolean;
  /** How long a login is valid, in milliseconds; 0: without limit. */
  readonly loginMsMax: number;
  /** From the client's ApiVersions request; '' before it. */
  clientSoftware: string;
  clientVersion: string;
  /**
   * Starts a login by a mechanism; false if it is not offered. `isBare`: the tokens come without a request
   * around them.
   */
  beginSasl(mechanism: string, isBare: boolean): boolean;
  /**
   * The answer to one token of the mechanism. Throws a KafkaError; then the connection ends after the answer.
   */
  saslToken(token: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Reserves room for an answer of up to `bytes` bytes: returns how many it may have, as soon as there is any
   * room.
   */
  takeRoom(bytes: number): number | Promise<number>;
  /**
   * To be called between two pieces of work: undefined while the connection's turn lasts; otherwise resolves
   * when its next turn begins, or when it is closed.
   */
  rest(): Promise<void> | undefined;
  /** Ends the connection because of an error of the client. */
  fail(text: string): void;
  /**
   * State that a part of the protocol keeps per connection (share sessions, …), each under its own {@link
   * SessionState}.
   */
  readonly states: Map<SessionState<unknown>, unknown>;
  /**
   * Calls back once when the connection has ended, or at once if it has already. Returns a function that
   * cancels the callback.
   */
  onClose(callback: () => void): () => void;
}

/** The context of a request, apart from its body. */
export interface RequestContext {
  readonly host: KafkaHost;
  readonly session: KafkaSession;
  /** '' if the client gave none. */
  readonly clientId: string;
  readonly version: number;
  /** The client's rights when the request was begun. */
  readonly rights: Rights;
  /** Set by a handler: how long the client is throttled because of its quota, in milliseconds. */
  throttleMs?: number;
  /** Set by a handler to be told when its answer has left this process; not called if it never does. */
  sent?: () => void;
}

/**
 * A handler answers one API: it gets the decoded request and returns the response to encode. Undefined means
 * no answer (a produce request with acks 0). An error that it throws ends the connection, unless it is a
 * BrokerError or a KafkaError that the response can carry.
 *
 * Requests of one connection are answered in order, but handled without waiting for each other.
 */
export type Handler<N extends ApiName> = (
  request: RequestOf<N>,
  context: RequestContext,
) => ResponseDraft<N> | Promise<ResponseDraft<N> | undefined> | undefined;

/** A table of handlers. Only APIs with a handler are advertised. */
export type Handlers = { readonly [N in ApiName]?: Handler<N> };
