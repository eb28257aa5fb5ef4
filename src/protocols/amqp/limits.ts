import type { OutputLimits } from '../connections/index.ts';
import { routingLimit } from './exchanges/routing-budget.ts';

/** The limits of one AMQP client. A connection whose output overflows is closed. */
export interface AmqpLimits extends OutputLimits {
  /** The largest body of a message, in bytes. */
  readonly payloadBytesMax: number;
  readonly connectionsMax: number;
  /** The largest frame that is offered to clients, in bytes. */
  readonly frameBytesMax: number;
  /** Channels of one connection. */
  readonly channelsMax: number;
  /** Unanswered deliveries of one channel. A consumer without a prefetch gets no more than these either. */
  readonly unackedMax: number;
  /** Bytes of the publishes that one transaction may hold back until its commit. */
  readonly transactionBytesMax: number;
  /** Publishes of one transaction, counted once for each queue: they go into one commit at once. */
  readonly transactionAppendsMax: number;
  /** Exchanges and bindings of all virtual hosts together: see RoutingBudget. */
  readonly bindingsMax: number;
  /** Queues that get a message, or a transaction, in one commit; a message for more of them takes turns. */
  readonly queuesPerCommitMax: number;
  /** The heartbeat that is offered to clients, in seconds. */
  readonly heartbeatSeconds: number;
  /** The time that a client has until its connection is open. */
  readonly handshakeMs: number;
  /** The time that a consumer has for answering a delivery; its channel is closed after it. */
  readonly consumerTimeoutMs: number;
  /** A connection that reads none of its waiting output for this long is closed. */
  readonly writeDeadlineMs: number;
}

const MiB = 1024 * 1024;

/** The figures that clients see are those of RabbitMQ. */
const defaultLimits: AmqpLimits = {
  payloadBytesMax: MiB,
  connectionsMax: 65_536,
  frameBytesMax: 131_072,
  channelsMax: 2047,
  unackedMax: 65_535,
  transactionBytesMax: 64 * MiB,
  transactionAppendsMax: 32_768,
  bindingsMax: routingLimit(),
  queuesPerCommitMax: 1_024,
  heartbeatSeconds: 60,
  handshakeMs: 10_000,
  consumerTimeoutMs: 30 * 60_000,
  outputBytesMax: 64 * MiB,
  outputBytesHold: 48 * MiB,
  outputBytesCongested: MiB,
  writeDeadlineMs: 10_000,
};

/** The smallest frame that clients may ask for: RabbitMQ wants 8192, the specification 4096. */
export const frameBytesMin = 4096;

/** Fills in the defaults. The output limit is at least four of the largest messages. */
export function amqpLimits(given: Partial<AmqpLimits> = {}): AmqpLimits {
  const { payloadBytesMax = defaultLimits.payloadBytesMax } = given;
  const { outputBytesMax = Math.max(defaultLimits.outputBytesMax, 4 * payloadBytesMax) } = given;
  return {
    ...defaultLimits,
    outputBytesMax,
    outputBytesHold: Math.floor(outputBytesMax * 0.75),
    ...given,
  };
}
