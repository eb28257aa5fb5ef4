import { connectAmqpPatiently, exchange, placeOf } from './amqp-connection.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { BrokerReader } from './broker-reader.ts';
import { checkReading } from './checker.ts';
import type { History } from './history.ts';

/** The group of a queue, which comes into being with it. */
export const queueGroup = 'default';

/** The queue of the AMQP clients of a workload: a stream of NATS, too, so that it can be looked into. */
export class AmqpQueue {
  readonly name: string;
  readonly #history: History;

  constructor(name: string, history: History) {
    this.name = name;
    this.#history = history;
  }

  /** Declares the queue and binds it. The stream is there already. */
  async declare({ amqpPort }: BrokerProcess): Promise<void> {
    const client = await connectAmqpPatiently(amqpPort, 'reader');
    const channel = await client.channel();
    await channel.queueBind(this.name, exchange, `${this.name}.#`);
    // Its group comes into being with its first use.
    await channel.basicGet(this.name, { noAck: false });
    await client.close();
  }

  /** Publishes that were confirmed, and acks. */
  get counts(): { readonly stored: number; readonly acked: number } {
    const { messages, acked } = this.#history.stream(this.name);
    let stored = 0;
    for (const { storedAt } of messages.values()) if (storedAt !== undefined) stored++;
    return { stored, acked: acked.size };
  }

  /** Compares the messages in the queue with the history. `gather` adds the latest observations to it. */
  async look(reader: BrokerReader, gather: () => void): Promise<void> {
    const { name } = this;
    gather();
    const known = this.#history.stream(name).lastSequence;
    const reading = await reader.read(name, 1);
    gather();
    const messages = reading.messages.map((message) => ({ ...message, seq: placeOf(message.id) }));
    checkReading(this.#history, { ...reading, messages, to: known }, 'unacked', known);
  }
}
