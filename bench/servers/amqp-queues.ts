import { setTimeout as delay } from 'node:timers/promises';
import { methods, type FieldTable } from '../../src/wire/amqp/index.ts';
import { AmqpSocket } from '../load/amqp-socket.ts';
import { nowMs } from '../load/clock.ts';

/** The type of queue that a server is measured with. */
export type QueueType = 'classic' | 'quorum';

const nothing = { reserved1: 0, noWait: false } as const;
const noArguments: FieldTable = new Map();
const countMsMax = 30_000;

/** AMQP queues makes, counts and deletes queues around a measurement, over a connection of its own. */
export class AmqpQueues {
  readonly #socket: AmqpSocket;
  readonly #type: QueueType;

  private constructor(socket: AmqpSocket, type: QueueType) {
    this.#socket = socket;
    this.#type = type;
  }

  /** If the connection fails, so does the call that is under way. */
  static async connect(port: number, type: QueueType): Promise<AmqpQueues> {
    return new AmqpQueues(await AmqpSocket.connect(port, () => {}), type);
  }

  /** Declares a durable queue. */
  async declare(queue: string): Promise<void> {
    await this.#declare(queue, false);
  }

  async delete(queue: string): Promise<void> {
    const { delete: deletion, deleteOk } = methods.queue;
    await this.#socket.call(deletion, { ...nothing, queue, ifUnused: false, ifEmpty: false }, deleteOk);
  }

  /** Declares a durable exchange that sends every message to these queues. */
  async declareFanout(exchange: string, queues: readonly string[]): Promise<void> {
    const { declare, declareOk } = methods.exchange;
    const flags = { passive: false, durable: true, autoDelete: false, internal: false };
    const fields = { ...nothing, ...flags, exchange, type: 'fanout', arguments: noArguments };
    await this.#socket.call(declare, fields, declareOk);
    const { bind, bindOk } = methods.queue;
    for (const queue of queues) {
      const binding = { ...nothing, queue, exchange, routingKey: '', arguments: noArguments };
      await this.#socket.call(bind, binding, bindOk);
    }
  }

  /** Messages that are ready. */
  async count(queue: string): Promise<number> {
    return this.#declare(queue, true);
  }

  /** Checks that the queues have so many messages together. The count of a quorum queue comes late. */
  async requireCount(queues: readonly string[], messages: number): Promise<void> {
    for (const deadlineMs = nowMs() + countMsMax; ; await delay(100)) {
      let count = 0;
      for (const queue of queues) count += await this.count(queue);
      if (count === messages) return;
      if (nowMs() > deadlineMs) throw new Error(`${messages} messages should be there, ${count} are`);
    }
  }

  end(): void {
    this.#socket.end();
  }

  async #declare(queue: string, passive: boolean): Promise<number> {
    const { declare, declareOk } = methods.queue;
    const flags = { passive, durable: true, exclusive: false, autoDelete: false };
    const table = new Map([['x-queue-type', this.#type]]);
    const fields = { ...nothing, ...flags, queue, arguments: table };
    return (await this.#socket.call(declare, fields, declareOk)).messageCount;
  }
}
