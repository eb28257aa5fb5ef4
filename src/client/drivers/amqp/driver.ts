import type { Connection } from 'rabbitmq-client';
import type { DriverOptions } from '../../connect.ts';
import type { DeliverySink, Driver, LetterStore, OutgoingMessage, Published, Puller } from '../../driver.ts';
import { ClientError } from '../../errors.ts';
import type { Capabilities } from '../../features.ts';
import { ackWaitDefaultMs, retryPlan, type GroupPlan, type GroupSettings } from '../../group-settings.ts';
import { loadPeer } from '../../peer.ts';
import type { ServerUrl } from '../../target-url.ts';
import { letterHeaders } from '../letter-headers.ts';
import { amqpCapabilities } from './capabilities.ts';
import { AmqpDelivery, type AmqpWays } from './delivery.ts';
import { AmqpLetters, given } from './letters.ts';
import { deliveriesHeader, exchangeOf, queueOf, retryQueueOf, waitOf } from './names.ts';
import { AmqpPublisher } from './publisher.ts';
import { AmqpPuller } from './puller.ts';
import { tableOf } from './stored.ts';

const packageName = 'rabbitmq-client';
/** RabbitMQ 4 gives up after 20 redeliveries by itself; the client counts. */
const deliveryLimit = 1_000_000;
/** How long a retry queue lasts without a declaration, beyond the wait of its messages. */
const retryQueueLastsMs = 3_600_000;

export async function openAmqp(server: ServerUrl, options: DriverOptions): Promise<Driver> {
  const { shown, hosts, path } = server;
  const { Connection } = await loadPeer(shown, packageName, () => import('rabbitmq-client'));
  const [host = ''] = hosts;
  const at = host.lastIndexOf(':');
  const connection = new Connection({
    ...(hosts.length > 1 ? { hosts: [...hosts] } : {}),
    hostname: host.slice(0, at),
    port: Number(host.slice(at + 1)),
    username: options.user ?? server.user ?? 'guest',
    password: options.password ?? server.password ?? 'guest',
    vhost: path === '' ? '/' : decodeURIComponent(path),
    connectionName: options.name ?? 'pillarbox-client',
    retryLow: 100,
    retryHigh: 2_000,
    ...(server.parameters.get('tls') === 'true' ? { tls: true } : {}),
  });
  let last: unknown;
  connection.on('error', (error: unknown) => {
    last = error;
    options.fault(error as Error);
  });
  try {
    await connection.onConnect(options.requestTimeoutMs);
  } catch (error) {
    connection.unsafeDestroy();
    const why = ((last ?? error) as Error).message;
    throw new ClientError('unreachable', `${shown} cannot be reached: ${why}`, last ?? error);
  }
  return new AmqpDriver(shown, connection, options);
}

/** RabbitMQ, or another broker of AMQP 0-9-1. A topic is an exchange, a group a queue that is bound to it. */
class AmqpDriver implements Driver {
  readonly target: string;
  readonly capabilities: Capabilities = amqpCapabilities;
  readonly #connection: Connection;
  readonly #options: DriverOptions;
  readonly #publisher: AmqpPublisher;
  /** When each retry queue was declared last, on the monotonic clock. */
  readonly #retryQueues = new Map<string, number>();

  constructor(target: string, connection: Connection, options: DriverOptions) {
    this.target = target;
    this.#connection = connection;
    this.#options = options;
    this.#publisher = new AmqpPublisher(connection, options, target);
  }

  async declareTopic(topic: string): Promise<void> {
    const exchange = exchangeOf(topic);
    await this.#ask(this.#connection.exchangeDeclare({ exchange, type: 'fanout', durable: true }));
  }

  async declareGroup(topic: string, group: string, settings: GroupSettings): Promise<GroupPlan> {
    const queue = queueOf(topic, group);
    const plan: GroupPlan = {
      topic,
      name: group,
      ackWaitMs: settings.ackWaitMs ?? ackWaitDefaultMs,
      ...retryPlan(topic, group, settings),
    };
    const ofQuorum = { 'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit } as const;
    await this.#ask(this.#connection.queueDeclare({ queue, durable: true, arguments: ofQuorum }));
    await this.#ask(this.#connection.queueBind({ queue, exchange: exchangeOf(topic), routingKey: '' }));
    const letters = plan.deadLetter;
    if (letters !== undefined)
      await this.#ask(this.#connection.queueDeclare({ queue: letters, durable: true }));
    return plan;
  }

  async publish(topic: string, message: OutgoingMessage): Promise<Published> {
    const { id, key, headers, value, ttlMs } = message;
    await this.#publisher.publish(
      {
        exchange: exchangeOf(topic),
        routingKey: '',
        messageId: id,
        timestamp: Math.floor(this.#options.clock.now() / 1_000),
        headers: tableOf(headers, key),
        ...(ttlMs === undefined ? {} : { expiration: String(Math.ceil(ttlMs)) }),
      },
      typeof value === 'string' ? Buffer.from(value, 'utf8') : value,
    );
    return { id, partition: 0, offset: -1, duplicate: false };
  }

  consume(plan: GroupPlan, sink: DeliverySink): Puller {
    const queue = queueOf(plan.topic, plan.name);
    const ways: AmqpWays = {
      retry: (delivery, delayMs) => this.#retry(queue, delivery, delayMs),
      makeLetter: (delivery, cause) => this.#makeLetter(plan, delivery, cause),
    };
    return new AmqpPuller(this.#connection, this.#options.clock, queue, sink, (channel, message, settled) =>
      sink.received(new AmqpDelivery(plan.topic, channel, message, ways, settled)),
    );
  }

  letters(topic: string): LetterStore {
    return new AmqpLetters(this.#connection, this.#publisher, topic);
  }

  async close(): Promise<void> {
    await this.#publisher.close();
    const late = this.#options.clock.setTimer(this.#options.requestTimeoutMs, () =>
      this.#connection.unsafeDestroy(),
    );
    await this.#connection.close().catch(() => undefined);
    late.cancel();
  }

  async #retry(queue: string, { given: message, deliveries }: AmqpDelivery, delayMs: number): Promise<void> {
    const waitMs = waitOf(delayMs);
    const retryQueue = retryQueueOf(queue, waitMs);
    await this.#declareRetries(queue, retryQueue, waitMs);
    const { messageId, timestamp, headers = {} } = message;
    const { 'x-delivery-count': _, 'x-death': __, ...kept } = headers as { [name: string]: unknown };
    await this.#publisher.publish(
      {
        routingKey: retryQueue,
        headers: { ...kept, [deliveriesHeader]: deliveries },
        ...given({ messageId, timestamp }),
      },
      message.body as Buffer,
    );
  }

  /** A queue is deleted that was not declared for long, whatever is in it: it is declared often enough. */
  async #declareRetries(queue: string, retryQueue: string, waitMs: number): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    const declaredMs = this.#retryQueues.get(retryQueue) ?? -Infinity;
    if (nowMs - declaredMs < retryQueueLastsMs / 4) return;
    await this.#connection.queueDeclare({
      queue: retryQueue,
      durable: true,
      arguments: {
        'x-message-ttl': waitMs,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': queue,
        'x-expires': Math.min(waitMs + retryQueueLastsMs, 2 ** 31 - 1),
      },
    });
    this.#retryQueues.set(retryQueue, nowMs);
  }

  async #makeLetter(plan: GroupPlan, delivery: AmqpDelivery, cause: string): Promise<void> {
    const { message } = delivery;
    if (plan.deadLetter === undefined) return;
    const { messageId, timestamp } = delivery.given;
    const story = letterHeaders(delivery, plan.name, message.key ?? '', cause, this.#options.clock.now());
    await this.#publisher.publish(
      {
        routingKey: plan.deadLetter,
        headers: tableOf([...message.headers, ...story], message.key),
        ...given({ messageId, timestamp }),
      },
      message.bytes ?? new Uint8Array(0),
    );
  }

  async #ask<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw new ClientError('refused', `${this.target} refuses: ${(error as Error).message}`, error);
    }
  }
}
