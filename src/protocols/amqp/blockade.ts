import type { Broker, BrokerError } from '../../broker/index.ts';
import { methods } from '../../wire/amqp/index.ts';
import type { Session } from './session.ts';

/**
 * The blockade holds back connections that publish while disk or memory is full. The publish waits, nothing
 * more is read from its connection, and the client is told if it understands connection.blocked. Connections
 * that only consume go on: they make room.
 */
export class Blockade {
  readonly #broker: Broker;
  readonly #waiting = new Map<Session, () => void>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Whether a publish has to {@link wait} now. */
  get isUp(): boolean {
    return this.#broker.shortage !== undefined;
  }

  /** Blocks a connection; resolves when there is room again. Never resolves if the connection ends before. */
  wait(session: Session): Promise<void> {
    const { shortage } = this.#broker;
    if (!shortage) return Promise.resolve();
    if (session.client.hearsBlocked)
      session.send(0, methods.connection.blocked, { reason: reasonOf(shortage) });
    if (this.#waiting.size === 0) this.#broker.onRoom(() => this.#lift());
    return new Promise((resolve) => this.#waiting.set(session, resolve));
  }

  /** Forgets a connection that ends. */
  leave(session: Session): void {
    this.#waiting.delete(session);
  }

  #lift(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [session, goOn] of waiting) {
      if (session.client.hearsBlocked) session.send(0, methods.connection.unblocked, {});
      goOn();
    }
  }
}

/** What is short, in RabbitMQ's words. */
function reasonOf({ code }: BrokerError): string {
  return code === 'memory-full' ? 'low on memory' : 'low on disk';
}
