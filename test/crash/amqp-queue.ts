import { connectAmqp, exchange, placeOf } from './amqp-connection.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { BrokerReader } from './broker-reader.ts';
import { checkPending, checkReading, type Reading } from './checker.ts';
import { type ClientQueue, queueGroup } from './client-queue.ts';
import type { History } from './history.ts';
import { idOf } from './payload.ts';

/** The queue of the AMQP clients of a workload: a stream of NATS, too, so that it can be looked into. */
export class AmqpQueue implements ClientQueue {
  readonly protocol = 'amqp';
  readonly name: string;
  readonly #history: History;

  constructor(name: string, history: History) {
    this.name = name;
    this.#history = history;
  }

  get streamName(): string {
    return this.name;
  }

  /** Declares the queue and binds it, on a stream that is there already. */
  async create({ amqpPort }: BrokerProcess, reader: BrokerReader): Promise<void> {
    await reader.createStreamAlone(this.name, 'unacked');
    const client = await connectAmqp(amqpPort, 'reader');
    const channel = await client.channel();
    await channel.queueBind(this.name, exchange, `${this.name}.#`);
    // Its group comes into being with its first use.
    await channel.basicGet(this.name, { noAck: false });
    await client.close();
  }

  async look(reader: BrokerReader, gather: () => void): Promise<void> {
    const { name } = this;
    gather();
    const known = this.#history.stream(name).lastSequence;
    const reading = await reader.read(name, 1);
    gather();
    checkQueue(this.#history, reading, known);
  }

  async checkAfter(history: History, _: BrokerProcess, reader: BrokerReader): Promise<void> {
    const { name } = this;
    const stream = history.stream(name);
    const stored = checkQueue(history, await reader.read(name, 1), stream.lastSequence);
    if (await reader.hasGroup(name, queueGroup)) {
      const taken = await reader.takePending(name, queueGroup, ({ data }) => placeOf(idOf(data)));
      checkPending(history, name, stored, taken);
    } else if (stream.acking.size > 0)
      history.report('everything is delivered', `the group of the queue ${name} is gone`);
  }
}

function checkQueue(history: History, reading: Reading, known: number): number[] {
  const messages = reading.messages.map((message) => ({ ...message, seq: placeOf(message.id) }));
  checkReading(history, { ...reading, messages, to: known }, 'unacked', known);
  return messages.map(({ seq }) => seq);
}
