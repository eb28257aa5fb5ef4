import type { LiveMessage, Topic } from '../../broker/index.ts';
import type { Access } from '../users/index.ts';

/**
 * The door between the core protocol and JetStream: core NATS knows of JetStream only this, and gets it
 * injected (`new NatsFrontend({ jetStream })`).
 *
 * The way out needs no door. What JetStream sends goes through `broker.router`, which also serves the
 * embedded API:
 *
 * - PubAck, ack-ack, API reply, advisory: fill a `LiveMessage` of your own and `router.publish(message)`; or,
 *   with the route of the
 *   last reply as a hint, `route = router.match(buffer, start, end, route); router.deliver(route, message)`.
 * - Deliveries to an inbox or deliver subject: `target = router.target(subject)` once per pull request or
 *   push consumer, then
 *   `target.send(message)` per message. The message's own subject is what MSG shows (the key of the record),
 *   the
 *   target's subject decides who gets it. `target.present`, `target.watch(…)` for interest,
 *   `target.congested` and
 *   `target.whenDrained(…)` for slow readers.
 *
 * Nobody flushes: what was written to connections goes out in one write per connection when the input (or
 * commit) at hand is done.
 *
 * All messages given to these calls are flyweights: their ranges hold during the call only. Subject, reply,
 * header block and value are in `message.subjectBuffer`, `replyBuffer`, `headerBuffer`, `valueBuffer`; the
 * header block is in the NATS encoding (`src/wire/nats` has `HeaderScanner`, `decodeHeaders`,
 * `encodeHeaders`).
 */
export interface JetStream {
  /**
   * A PUB or HPUB to a subject that a topic captures, with or without reply. Live subscribers of the subject
   * have it already.
   */
  publish(session: NatsSession, message: LiveMessage, topic: Topic): void;
  /**
   * Why the stream would not take it, by what the stream is and the message says; undefined when it would, as
   * far as that goes.
   */
  refusalOf?(message: LiveMessage, topic: Topic): string | undefined;
  /**
   * A message to `$JS.ACK.…`: value +ACK, -NAK, …; with a reply it wants an answer once the ack is on disk.
   * False: no such consumer.
   */
  ack(session: NatsSession, message: LiveMessage): boolean;
  /**
   * A message to any other subject under `$JS.` (`$JS.API.…`, `$JS.FC.…`). False: nothing answers there, go
   * on as with any live subject (503 where nobody else listens).
   */
  request(session: NatsSession, message: LiveMessage): boolean;
  /**
   * The server stops: requests that wait hear that they are over. Clients may ask again until their
   * connection is closed.
   */
  stopping?(): void;
  /** The connection is gone; its subscriptions are gone from the router already. */
  sessionClosed?(session: NatsSession): void;
}

/** A connection, as JetStream sees it. */
export interface NatsSession {
  /** The client_id of INFO; never reused. */
  readonly id: number;
  /** The name given in CONNECT, or ''. */
  readonly clientName: string;
  readonly closed: boolean;
  /** What it may do with topics. */
  readonly access: Access;
  /** -ERR: it has no permission for the request that it has published to this subject. */
  deny(what: 'Publish to', subject: string): void;
  /**
   * Stops reading from the connection until {@link release} was called as often for the reason: how a
   * publisher is slowed down (`congested`: the broker is). What was read already still arrives.
   */
  hold(reason?: 'held' | 'congested'): void;
  release(reason?: 'held' | 'congested'): void;
}
