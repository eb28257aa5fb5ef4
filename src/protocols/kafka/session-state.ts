import type { KafkaSession } from './handler.ts';

/**
 * A session state is a slot on every connection, in which one part of the protocol keeps its state of that
 * connection.
 */
export class SessionState<T> {
  readonly #create: (session: KafkaSession) => T;

  constructor(create: (session: KafkaSession) => T) {
    this.#create = create;
  }

  /** The state of this connection, created on first use. */
  of(session: KafkaSession): T {
    const known = session.states.get(this) as T | undefined;
    if (known !== undefined) return known;
    const created = this.#create(session);
    session.states.set(this, created);
    return created;
  }

  /** The state of this connection, if it has one. */
  peek(session: KafkaSession): T | undefined {
    return session.states.get(this) as T | undefined;
  }
}
