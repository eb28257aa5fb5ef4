import { defaultGroup, type Broker, type Group, type GroupOptions, type Topic } from '../../broker/index.ts';
import type { FieldValue } from '../../wire/amqp/index.ts';
import { isLegalName, names } from '../names.ts';
import { AmqpError, inequivalent, shownQueue } from './errors.ts';
import { sameValue } from './exchanges/index.ts';
import { isCompared } from './inert-arguments.ts';
import { deadlineOf, queueArguments } from './queue-arguments.ts';
import { Policies } from './policies/index.ts';
import { argumentsOf, definitionOf, type QueueDefinition } from './queue-definition.ts';
import { QueueExpiry } from './queue-expiry.ts';
import { applyPolicy, withPolicy } from './queue-policies.ts';
import { asksForStream, streamTopic } from './streams/index.ts';
import { plainNames, type VhostNames } from './vhosts/vhost-names.ts';

/** The owner of an exclusive queue: the connection that declared it. */
export interface QueueOwner {
  readonly closed: boolean;
}

/**
 * The queues of a virtual host. A queue is a topic with its group `default`. Any topic is a queue: its group
 * comes into being when AMQP first uses it.
 */
export class Queues {
  /** The names of the virtual host that they are in. */
  readonly names: VhostNames;
  readonly #broker: Broker;
  readonly #ackWaitMs: number;
  readonly #policies: Policies;
  #applying: Promise<void> = Promise.resolve();
  readonly #expiry: QueueExpiry;
  readonly #forget: () => void;
  readonly #owners = new WeakMap<Topic, QueueOwner>();
  readonly #owned = new WeakMap<QueueOwner, Topic[]>();
  /** Consumers of AMQP clients, for queues that are deleted with the last one. */
  readonly #consumers = new WeakMap<Topic, number>();

  /** `own` are the names of their virtual host; by default those of `/`. */
  constructor(
    broker: Broker,
    consumerTimeoutMs: number,
    own: VhostNames = plainNames,
    policies: Policies = new Policies(broker.attributes),
  ) {
    this.#broker = broker;
    this.#policies = policies;
    this.names = own;
    this.#ackWaitMs = deadlineOf(consumerTimeoutMs);
    this.#expiry = new QueueExpiry(broker.clock, deleteLater);
    this.#forget = broker.events.subscribe((event) => {
      if (event.kind === 'topic-deleted') this.#expiry.forget(event.topic);
    });
    for (const topic of broker.topics.values()) if (own.owns(topic.name)) this.#watch(topic);
    // A crash may have come between a policy and its queues.
    this.applyPolicies().catch(() => undefined);
  }

  close(): void {
    this.#forget();
    this.#expiry.close();
  }

  /** The queue was declared again, or a message was asked for: the time until it expires begins anew. */
  used(topic: Topic): void {
    this.#expiry.used(topic);
  }

  /** Undefined if there is no such queue. Throws RESOURCE_LOCKED if it belongs to another connection. */
  get(name: string, connection: QueueOwner): Topic | undefined {
    const topicName = this.names.topicName(name);
    const topic = topicName === undefined ? undefined : this.#broker.topic(topicName);
    const owner = topic && this.#owners.get(topic);
    if (owner && owner !== connection) throw this.#locked(name);
    return topic;
  }

  /** The name of the queue that a topic is. */
  nameOf(topic: Pick<Topic, 'name'>): string {
    return this.names.queueName(topic.name);
  }

  /** `queue 'orders' in vhost '/'` */
  shown(queue: string): string {
    return shownQueue(queue, this.names.vhost);
  }

  /** Throws NOT_FOUND if there is no such queue, and as {@link get}. */
  find(name: string, connection: QueueOwner): Topic {
    const topic = this.get(name, connection);
    if (!topic) throw new AmqpError('NOT_FOUND', `no ${this.shown(name)}`);
    return topic;
  }

  /** The group of a queue; a promise if it has to be created, with these options. */
  group(topic: Topic, options: Partial<GroupOptions> = {}): Group | Promise<Group> {
    return (
      topic.groups.get(defaultGroup) ??
      topic.createGroup({ ...options, name: defaultGroup, ackWaitMs: this.#ackWaitMs })
    );
  }

  /** Creates a queue; resolves when it is on disk. */
  async declare(name: string, definition: QueueDefinition, connection: QueueOwner): Promise<Topic> {
    const { durable, exclusive, arguments: table } = definition;
    const topicName = this.names.topicName(name);
    if (topicName === undefined)
      throw new AmqpError('ACCESS_REFUSED', `queue name '${name}' is one of another vhost`);
    if (!isLegalName(topicName, names.amqp.topic))
      throw new AmqpError('PRECONDITION_FAILED', `the name of a queue has at most 255 bytes`);
    const { stored, effective } = withPolicy(this.#policies, this.names, name, definition);
    // The readers of a stream have groups of their own.
    if (asksForStream(table))
      return this.#broker.createTopic({
        ...streamTopic(this.shown(name), definition, effective),
        name: topicName,
        attributes: { amqp: stored },
      });
    const { topic: topicOptions, group: groupOptions } = queueArguments(this.shown(name), effective);
    const { topic } = await this.#broker.defineQueue(
      {
        ...topicOptions,
        name: topicName,
        // A queue that is gone after a restart needs no disk.
        durability: durable && !exclusive ? 'disk' : 'memory',
        attributes: { amqp: stored },
      },
      { ackWaitMs: this.#ackWaitMs, ...groupOptions },
    );
    if (exclusive) this.#own(topic, connection);
    this.#watch(topic);
    return topic;
  }

  /** Changes the queues that are there as the policies are now; resolves when that is on disk. */
  applyPolicies(): Promise<void> {
    const apply = async (): Promise<void> => {
      for (const topic of Array.from(this.#broker.topics.values())) {
        await this.#broker.pacing.rest();
        if (!this.names.owns(topic.name)) continue;
        if (!(await applyPolicy(this.#policies, this.names, topic))) continue;
        this.#expiry.forget(topic);
        this.#watch(topic);
      }
    };
    this.#applying = this.#applying.catch(() => undefined).then(apply);
    return this.#applying;
  }

  /** Throws PRECONDITION_FAILED if the queue is not what is declared. */
  checkEquivalent(topic: Topic, declared: QueueDefinition): void {
    const current = definitionOf(topic, asksForStream(declared.arguments));
    const differ = (name: string, received: FieldValue | undefined, is: FieldValue | undefined): never => {
      throw inequivalent(this.shown(this.nameOf(topic)), name, received, is);
    };
    if (declared.durable !== current.durable) differ('durable', declared.durable, current.durable);
    if (declared.autoDelete !== current.autoDelete)
      differ('auto_delete', declared.autoDelete, current.autoDelete);
    if (declared.exclusive !== current.exclusive) throw this.#locked(this.nameOf(topic));
    const argumentNames = new Set([...current.arguments.keys(), ...declared.arguments.keys()]);
    for (const name of argumentNames) {
      if (!isCompared(name)) continue;
      const [received, is] = [declared.arguments.get(name), current.arguments.get(name)];
      if (received === undefined || is === undefined || !sameValue(received, is)) differ(name, received, is);
    }
  }

  consumerAttached(topic: Topic): void {
    this.#consumers.set(topic, (this.#consumers.get(topic) ?? 0) + 1);
  }

  /** Deletes the queue if this was the last consumer of one that is deleted then. */
  consumerDetached(topic: Topic): void {
    const left = (this.#consumers.get(topic) ?? 1) - 1;
    this.#consumers.set(topic, left);
    this.#expiry.used(topic);
    if (left === 0 && definitionOf(topic).autoDelete) deleteLater(topic);
  }

  /** Deletes the exclusive queues of a connection that has ended. */
  connectionClosed(connection: QueueOwner): void {
    for (const topic of this.#owned.get(connection) ?? []) deleteLater(topic);
  }

  #locked(queue: string): AmqpError {
    return locked(this.shown(queue));
  }

  #watch(topic: Topic): void {
    const expiresMs = argumentsOf(topic).get('x-expires');
    if (typeof expiresMs === 'number' && !topic.isDeleted) this.#expiry.watch(topic, expiresMs);
  }

  #own(topic: Topic, connection: QueueOwner): void {
    this.#owners.set(topic, connection);
    const owned = this.#owned.get(connection)?.filter(({ isDeleted }) => !isDeleted) ?? [];
    this.#owned.set(connection, [...owned, topic]);
    if (connection.closed) deleteLater(topic); // it has ended meanwhile
  }
}

/** Queues that are not durable, or belonged to a connection, do not survive a restart. */
export function deleteTransientQueues({ topics }: Broker): void {
  for (const topic of Array.from(topics.values())) {
    const { durable, exclusive } = definitionOf(topic);
    if (!durable || exclusive) deleteLater(topic);
  }
}

/** The type of a queue, as RabbitMQ names it. */
export function typeOf(topic: Topic): string {
  const type = definitionOf(topic).arguments.get('x-queue-type');
  return `rabbit_${typeof type === 'string' ? type : 'classic'}_queue`;
}

/** Whether a queue was declared as a stream. */
export function isStream(topic: Topic): boolean {
  return asksForStream(definitionOf(topic).arguments);
}

/** Throws NOT_IMPLEMENTED for a method that streams do not have. */
export function checkNoStream(queues: Queues, topic: Topic, method: 'basic.get' | 'queue.purge'): void {
  if (!isStream(topic)) return;
  const shown = queues.shown(queues.nameOf(topic));
  throw new AmqpError('NOT_IMPLEMENTED', `${method} not supported by stream queues ${shown}`);
}

/** The deletion is part of the next commit. If the log fails, the process ends. */
function deleteLater(topic: Topic): void {
  topic.delete().catch(() => undefined);
}

/** The beginning of names that only the server gives. */
const reservedPrefix = 'amq.';

/** Throws ACCESS_REFUSED for a name that only the server may give. */
export function checkReserved(kind: 'queue' | 'exchange', name: string): void {
  if (name.startsWith(reservedPrefix))
    throw new AmqpError('ACCESS_REFUSED', `${kind} name '${name}' contains reserved prefix 'amq.*'`);
}

function locked(shown: string): AmqpError {
  return new AmqpError(
    'RESOURCE_LOCKED',
    `cannot obtain exclusive access to locked ${shown}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
  );
}
