import type { BrokerProcess } from './broker-process.ts';
import type { BrokerReader } from './broker-reader.ts';
import type { History, StreamHistory } from './history.ts';

/** The protocols whose clients have a queue of their own in a workload. */
export const queueProtocols = ['amqp', 'sqs'] as const;
export type QueueProtocol = (typeof queueProtocols)[number];

/** What the clients of a queue were told: messages that are stored, and acks. */
export interface QueueCounts {
  readonly stored: number;
  readonly acked: number;
}

export type CountsByProtocol = { readonly [P in QueueProtocol]: QueueCounts };

/** A queue of the clients of one protocol in a workload. It can be looked into as a stream of NATS. */
export interface ClientQueue {
  readonly protocol: QueueProtocol;
  /** Its name in the history. */
  readonly name: string;
  /** Its name as a stream. */
  readonly streamName: string;
  /** Creates what its clients use. */
  create(broker: BrokerProcess, reader: BrokerReader): Promise<void>;
  /** Compares the messages in the queue with the history. `gather` adds the latest observations to it. */
  look(reader: BrokerReader, gather: () => void): Promise<void>;
  /** Compares the queue after a restart, without its clients: what it has, and what it delivers. */
  checkAfter(history: History, broker: BrokerProcess, reader: BrokerReader): Promise<void>;
}

/** The group of a queue, which comes into being with it. */
export const queueGroup = 'default';

function countsOf({ messages, acked }: StreamHistory): QueueCounts {
  let stored = 0;
  for (const { storedAt } of messages.values()) if (storedAt !== undefined) stored++;
  return { stored, acked: acked.size };
}

/** What the clients of a workload's queues were told. */
export function countsOfQueues(history: History, queues: readonly ClientQueue[]): CountsByProtocol {
  let sum = noCounts;
  for (const { protocol, name } of queues)
    sum = addCounts(sum, { ...noCounts, [protocol]: countsOf(history.stream(name)) });
  return sum;
}

/** The counts of each protocol, added up. */
export function addCounts(sum: CountsByProtocol, more: CountsByProtocol): CountsByProtocol {
  const added = (protocol: QueueProtocol): QueueCounts => ({
    stored: sum[protocol].stored + more[protocol].stored,
    acked: sum[protocol].acked + more[protocol].acked,
  });
  return { amqp: added('amqp'), sqs: added('sqs') };
}

export const noCounts: CountsByProtocol = { amqp: { stored: 0, acked: 0 }, sqs: { stored: 0, acked: 0 } };
