import type { Broker, BrokerEvent, LiveMessage, Topic } from '../../../broker/index.ts';
import type { JetStream, NatsSession } from '../jetstream-door.ts';
import { checkAccess, mayConsume } from './access.ts';
import { Acks } from './ack.ts';
import { Advisories } from './advisories.ts';
import { parseVerb, verbs, type ApiAnswer, type Verb } from './api.ts';
import { ApiQueue } from './api-queue.ts';
import type { ApiCounters, Context, ServerIdentity } from './context.ts';
import { DeliveryWriter } from './delivery.ts';
import { directGet } from './direct-get.ts';
import { apiErrorBody, errorBodyOf } from './errors.ts';
import { headerText } from './headers.ts';
import { Outlet } from './outlet.ts';
import { Publisher } from './publish.ts';
import { pull } from './pull-request.ts';
import { Streams } from './streams.ts';

const apiPrefix = '$JS.API.';
const flowControlPrefix = '$JS.FC.';
const directGetPrefix = 'DIRECT.GET.';
const nextPrefix = 'CONSUMER.MSG.NEXT.';

/**
 * JetStream on top of the broker: streams are topics, consumers are groups, and all state here is derived
 * from them.
 */
export class PillarboxJetStream implements JetStream {
  readonly #context: Context;
  readonly #counters: ApiCounters = { total: 0, errors: 0 };
  readonly #publisher: Publisher;
  readonly #acks: Acks;
  readonly #advisories: Advisories;
  readonly #unsubscribe: () => void;
  /** By the id of the connection. */
  readonly #queues = new Map<number, ApiQueue>();

  constructor(broker: Broker, server: ServerIdentity) {
    const { router, clock, random } = broker;
    // Streams and consumers need the context that they are part of.
    const context = { broker, router, clock, random, server, counters: this.#counters } as {
      -readonly [M in keyof Context]: Context[M];
    };
    context.outlet = new Outlet(router);
    context.deliveries = new DeliveryWriter();
    context.streams = new Streams(context);
    this.#context = context;
    this.#publisher = new Publisher(context);
    this.#acks = new Acks(context);
    this.#advisories = new Advisories(context);
    this.#unsubscribe = broker.events.subscribe((event) => this.#onEvent(event));
    // Push consumers deliver without a request.
    for (const stream of context.streams.all()) stream.consumers();
  }

  /** Unsubscribes from the events of the broker. */
  close(): void {
    this.#unsubscribe();
  }

  /** Loads what streams with schedules need. Resolves when publishes to them can be taken. */
  async loadSchedules(): Promise<void> {
    const { streams, broker } = this.#context;
    if (streams.all().some(({ config }) => config.allow_msg_schedules)) await broker.schedules.loadCron();
  }

  // ---- JetStream

  publish(session: NatsSession, message: LiveMessage, topic: Topic): void {
    this.#publisher.publish(session, message, topic);
  }

  refusalOf(message: LiveMessage, topic: Topic): string | undefined {
    return this.#publisher.refusalOf(message, topic);
  }

  ack(session: NatsSession, message: LiveMessage): boolean {
    return this.#acks.take(session, message);
  }

  request(session: NatsSession, message: LiveMessage): boolean {
    const { subject } = message;
    if (subject.startsWith(flowControlPrefix)) return this.#flowControl(subject);
    if (!subject.startsWith(apiPrefix)) return false;
    const path = subject.slice(apiPrefix.length);
    if (path.startsWith(nextPrefix)) return this.#next(session, path.slice(nextPrefix.length), message);
    if (path.startsWith(directGetPrefix))
      return this.#directGet(session, path.slice(directGetPrefix.length), message);
    const parsed = parseVerb(path);
    // nats-server does not answer unknown requests.
    if (!parsed) return true;
    this.#queueOf(session).take(message, (request) =>
      this.#dispatch(session, parsed.verb, parsed.args, request),
    );
    return true;
  }

  /** The requests of the session still run to their end. */
  sessionClosed(session: NatsSession): void {
    this.#queues.delete(session.id);
  }

  #queueOf(session: NatsSession): ApiQueue {
    let queue = this.#queues.get(session.id);
    if (queue === undefined) this.#queues.set(session.id, (queue = new ApiQueue(this.#context, session)));
    return queue;
  }

  stopping(): void {
    for (const stream of this.#context.streams.all()) {
      for (const consumer of stream.consumers())
        for (const request of consumer.waiting) request.serverStops();
    }
  }

  // ---- the API

  #dispatch(
    session: NatsSession,
    verb: Verb,
    args: readonly string[],
    message: LiveMessage,
  ): Promise<void> | undefined {
    const { reply } = message;
    const { answer, handle, needs, errorMembers } = verbs[verb];
    const type = `io.nats.jetstream.api.v1.${answer}_response`;
    const say = (body: object): void => {
      this.#counters.total++; // the request does not count itself in INFO
      if (reply !== undefined) this.#context.outlet.json(reply, body);
    };
    const fail = (error: unknown): void => {
      this.#counters.errors++;
      say({ type, error: errorBodyOf(error), ...errorMembers });
    };
    if (this.#requiresMore(message)) {
      this.#counters.errors++;
      say({ type, error: apiErrorBody('requiredApiLevel'), ...errorMembers });
      return undefined;
    }
    try {
      checkAccess(this.#context, session, needs, args);
      const result: ApiAnswer | Promise<ApiAnswer> = handle(this.#context, {
        session,
        args,
        body: message.value,
      });
      if (result instanceof Promise) return result.then((body) => say({ type, ...body }), fail);
      say({ type, ...result });
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  #requiresMore(message: LiveMessage): boolean {
    if (message.headerStart < 0) return false;
    const level = headerText(message.decodeHeaders(), 'Nats-Required-Api-Level');
    return level !== undefined && !(Number(level) <= this.#context.server.apiLevel);
  }

  #next(session: NatsSession, path: string, message: LiveMessage): boolean {
    const [streamName, consumerName, ...rest] = path.split('.');
    if (consumerName === undefined || rest.length > 0) return false;
    const consumer = this.#context.streams.find(streamName!)?.findConsumer(consumerName);
    if (!consumer) return false;
    if (!mayConsume(session, consumer.stream, message)) return true;
    pull(this.#context, consumer, message.reply, message.value);
    return true;
  }

  #directGet(session: NatsSession, path: string, message: LiveMessage): boolean {
    const dot = path.indexOf('.');
    const stream = this.#context.streams.find(dot < 0 ? path : path.slice(0, dot));
    if (!stream?.config.allow_direct) return false;
    if (!mayConsume(session, stream, message)) return true;
    const { reply } = message;
    if (reply === undefined) return true;
    const subject = dot < 0 ? '' : path.slice(dot + 1);
    this.#queueOf(session).take(message, ({ value }) =>
      // Only a read of the log can fail here. The client's request then times out, and the broker reports the
      // damage.
      directGet(this.#context, stream, { reply, subject, body: Buffer.from(value) }).catch(() => undefined),
    );
    return true;
  }

  #flowControl(subject: string): boolean {
    const [streamName, consumerName] = subject.slice(flowControlPrefix.length).split('.');
    const consumer = this.#context.streams.find(streamName!)?.findConsumer(consumerName ?? '');
    if (!consumer?.push) return false;
    consumer.push.flowControlAnswered(subject);
    return true;
  }

  // ---- events of the broker

  #onEvent(event: BrokerEvent): void {
    const { streams } = this.#context;
    switch (event.kind) {
      case 'topic-updated':
        streams.topicUpdated(event.topic);
        break;
      case 'topic-deleted':
        for (const group of event.topic.groups.values()) streams.of(event.topic).groupDeleted(group);
        streams.topicDeleted(event.topic);
        this.#publisher.topicDeleted(event.topic);
        this.#acks.forget(undefined);
        break;
      case 'group-created':
        streams.of(event.group.topic).consumerOf(event.group);
        break;
      case 'group-updated':
      case 'group-paused':
      case 'group-resumed':
        streams.of(event.group.topic).groupUpdated(event.group);
        break;
      case 'group-deleted':
        streams.of(event.group.topic).groupDeleted(event.group);
        this.#acks.forget(undefined);
        break;
      default:
        break;
    }
    this.#advisories.tell(event);
  }
}
