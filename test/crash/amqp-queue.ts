import { connectAmqp, exchange, placeOf } from './amqp-connection.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { BrokerReader } from './broker-reader.ts';
import { checkPending, checkReading, type Reading } from './checker.ts';
import type { History, StreamHistory } from './history.ts';
import { idOf } from './payload.ts';

/** The group of a queue, which comes into being with it. */
export const queueGroup = 'default';

/** What the clients of a queue were told: publishes that were confirmed, and acks. */
export interface QueueCounts {
  readonly stored: number;
  readonly acked: number;
}

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
    const client = await connectAmqp(amqpPort, 'reader');
    const channel = await client.channel();
    await channel.queueBind(this.name, exchange, `${this.name}.#`);
    // Its group comes into being with its first use.
    await channel.basicGet(this.name, { noAck: false });
    await client.close();
  }

  get counts(): QueueCounts {
    return countsOf(this.#history.stream(this.name));
  }

  /** Compares the messages in the queue with the history. `gather` adds the latest observations to it. */
  async look(reader: BrokerReader, gather: () => void): Promise<void> {
    const { name } = this;
    gather();
    const known = this.#history.stream(name).lastSequence;
    const reading = await reader.read(name, 1);
    gather();
    checkQueue(this.#history, reading, known);
  }
}

export function countsOf({ messages, acked }: StreamHistory): QueueCounts {
  let stored = 0;
  for (const { storedAt } of messages.values()) if (storedAt !== undefined) stored++;
  return { stored, acked: acked.size };
}

function checkQueue(history: History, reading: Reading, known: number): number[] {
  const messages = reading.messages.map((message) => ({ ...message, seq: placeOf(message.id) }));
  checkReading(history, { ...reading, messages, to: known }, 'unacked', known);
  return messages.map(({ seq }) => seq);
}

/** Compares a queue after a restart, without its clients, with their history: what it has, and delivers. */
export async function checkQueueAfter(history: History, reader: BrokerReader, name: string): Promise<void> {
  const stream = history.stream(name);
  const stored = checkQueue(history, await reader.read(name, 1), stream.lastSequence);
  if (await reader.hasGroup(name, queueGroup)) {
    const taken = await reader.takePending(name, queueGroup, ({ data }) => placeOf(idOf(data)));
    checkPending(history, name, stored, taken);
  } else if (stream.acking.size > 0)
    history.report('everything is delivered', `the group of the queue ${name} is gone`);
}
