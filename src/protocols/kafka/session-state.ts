import type { KafkaSession } from './handler.ts';

/**
 * A session state is a place on every connection where one part of the protocol keeps what it knows of that
 * connection.
 */
export class SessionState<T> {
  readonly #create: (session: KafkaSession) => T;

  constructor(create: (session: KafkaSession) => T) {
    this.#create = create;
  }

  /** The connection's own; made when it is first asked for. */
  of(session: KafkaSession): T {
    const known = session.states.get(this) as T | undefined;
    if (known !== undefined) return known;
    const created = this.#create(session);
    session.states.set(this, created);
    return created;
  }

  /** The connection's own, if it has one. */
  peek(session: KafkaSession): T | undefined {
    return session.states.get(this) as T | undefined;
  }
}
