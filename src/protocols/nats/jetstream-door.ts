import type { LiveMessage, Topic } from '../../broker/index.ts';
import type { Access } from '../users/index.ts';

/**
 * The door from core NATS to JetStream. It is the only part of JetStream that core NATS knows, and is
 * injected (`new NatsFrontend({ jetStream })`).
 *
 * The other direction needs no door. JetStream sends through `broker.router`, which also serves the embedded
 * API:
 *
 * - PubAck, ack-ack, API reply, advisory: fill a `LiveMessage` of your own and call
 *   `router.publish(message)`. Or, with the route of the last reply as a hint, call
 *   `route = router.match(buffer, start, end, route)` and then `router.deliver(route, message)`.
 * - Deliveries to an inbox or deliver subject: call `target = router.target(subject)` once per pull request
 *   or push consumer, then `target.send(message)` per message. MSG shows the message's own subject (the key
 *   of the record); the target's subject decides which subscribers get it. Use `target.present` and
 *   `target.watch(…)` for interest, `target.congested` and `target.whenDrained(…)` for slow readers.
 *
 * No flush is needed: messages written to connections go out in one write per connection when the input (or
 * commit) at hand is done.
 *
 * All messages passed to these calls are flyweights: their ranges are valid only during the call. Subject,
 * reply, header block and value are in `message.subjectBuffer`, `replyBuffer`, `headerBuffer`, `valueBuffer`;
 * the header block is in the NATS encoding (`src/wire/nats` has `HeaderScanner`, `decodeHeaders`,
 * `encodeHeaders`).
 */
export interface JetStream {
  /**
   * Handles a PUB or HPUB to a subject that a topic captures, with or without reply. The live subscribers of
   * the subject already have the message.
   */
  publish(session: NatsSession, message: LiveMessage, topic: Topic): void;
  /**
   * Why the stream would refuse the message, judged by the stream's configuration and the message alone;
   * undefined if neither is a reason.
   */
  refusalOf?(message: LiveMessage, topic: Topic): string | undefined;
  /**
   * Handles a message to `$JS.ACK.…`: value +ACK, -NAK, …. If it has a reply, that is answered once the ack
   * is on disk. False: there is no such consumer.
   */
  ack(session: NatsSession, message: LiveMessage): boolean;
  /**
   * Handles a message to any other subject under `$JS.` (`$JS.API.…`, `$JS.FC.…`). False: JetStream does not
   * answer there, and the message goes on as for any live subject (503 if it has no subscribers).
   */
  request(session: NatsSession, message: LiveMessage): boolean;
  /**
   * Called when the server stops: answers the requests that wait. Clients may send new ones until their
   * connection is closed.
   */
  stopping?(): void;
  /** Called after a connection has ended; its subscriptions are already gone from the router. */
  sessionClosed?(session: NatsSession): void;
}

/** A connection, as JetStream sees it. */
export interface NatsSession {
  /** The client_id of INFO; never reused. */
  readonly id: number;
  /** The name given in CONNECT, or ''. */
  readonly clientName: string;
  readonly closed: boolean;
  /** The client's permissions for topics. */
  readonly access: Access;
  /** Sends -ERR: the client has no permission for the request that it published to this subject. */
  deny(what: 'Publish to', subject: string): void;
  /**
   * Stops reading from the connection until {@link release} was called as often for the same reason. This
   * slows a publisher down; with `congested`, the reason is the broker. Bytes already read are still handled.
   */
  hold(reason?: 'held' | 'congested'): void;
  release(reason?: 'held' | 'congested'): void;
}
