import type { Broker, BrokerEvent, LiveMessage, Topic } from '../../../broker/index.ts';
import type { JetStream, NatsSession } from '../jetstream-door.ts';
import { Acks } from './ack.ts';
import { Advisories } from './advisories.ts';
import { parseVerb, verbs, type ApiAnswer, type Verb } from './api.ts';
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
 * JetStream over the core: streams are topics, consumers are groups, and all of what it keeps here is derived from them.
 */
export class PillarboxJetStream implements JetStream {
  readonly #context: Context;
  readonly #counters: ApiCounters = { total: 0, errors: 0 };
  readonly #publisher: Publisher;
  readonly #acks: Acks;
  readonly #advisories: Advisories;
  readonly #unsubscribe: () => void;

  constructor(broker: Broker, server: ServerIdentity) {
    const { router, clock, random } = broker;
    // Streams and consumers need the context they are part of.
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
    // Push consumers deliver without being asked for.
    for (const stream of context.streams.all()) stream.consumers();
  }

  /** Stops watching the broker. */
  close(): void {
    this.#unsubscribe();
  }

  // ---- JetStream

  publish(session: NatsSession, message: LiveMessage, topic: Topic): void {
    this.#publisher.publish(session, message, topic);
  }

  ack(_session: NatsSession, message: LiveMessage): boolean {
    return this.#acks.take(message);
  }

  request(session: NatsSession, message: LiveMessage): boolean {
    const { subject } = message;
    if (subject.startsWith(flowControlPrefix)) return this.#flowControl(subject);
    if (!subject.startsWith(apiPrefix)) return false;
    const path = subject.slice(apiPrefix.length);
    if (path.startsWith(nextPrefix)) return this.#next(path.slice(nextPrefix.length), message);
    if (path.startsWith(directGetPrefix)) return this.#directGet(path.slice(directGetPrefix.length), message);
    const parsed = parseVerb(path);
    // nats-server leaves requests it does not know unanswered.
    if (!parsed) return true;
    this.#dispatch(session, parsed.verb, parsed.args, message);
    return true;
  }

  // ---- the API

  #dispatch(session: NatsSession, verb: Verb, args: readonly string[], message: LiveMessage): void {
    const { reply } = message;
    const { answer, handle, errorMembers } = verbs[verb];
    const type = `io.nats.jetstream.api.v1.${answer}_response`;
    const say = (body: object): void => {
      this.#counters.total++; // INFO does not count itself
      if (reply !== undefined) this.#context.outlet.json(reply, body);
    };
    const fail = (error: unknown): void => {
      this.#counters.errors++;
      say({ type, error: errorBodyOf(error), ...errorMembers });
    };
    if (this.#requiresMore(message)) {
      this.#counters.errors++;
      return say({ type, error: apiErrorBody('requiredApiLevel'), ...errorMembers });
    }
    try {
      const result: ApiAnswer | Promise<ApiAnswer> = handle(this.#context, {
        session,
        args,
        body: message.value,
      });
      if (result instanceof Promise) result.then((body) => say({ type, ...body }), fail);
      else say({ type, ...result });
    } catch (error) {
      fail(error);
    }
  }

  #requiresMore(message: LiveMessage): boolean {
    if (message.headerStart < 0) return false;
    const level = headerText(message.decodeHeaders(), 'Nats-Required-Api-Level');
    return level !== undefined && !(Number(level) <= this.#context.server.apiLevel);
  }

  #next(path: string, message: LiveMessage): boolean {
    const [streamName, consumerName, ...rest] = path.split('.');
    if (consumerName === undefined || rest.length > 0) return false;
    const consumer = this.#context.streams.find(streamName!)?.findConsumer(consumerName);
    if (!consumer) return false;
    pull(this.#context, consumer, message.reply, message.value);
    return true;
  }

  #directGet(path: string, message: LiveMessage): boolean {
    const dot = path.indexOf('.');
    const stream = this.#context.streams.find(dot < 0 ? path : path.slice(0, dot));
    if (!stream?.config.allow_direct) return false;
    const { reply } = message;
    if (reply === undefined) return true;
    const body = Buffer.from(message.value);
    const subject = dot < 0 ? '' : path.slice(dot + 1);
    // What fails here is a read of the log; the client's request times out, and the broker reports the damage.
    directGet(this.#context, stream, { reply, subject, body }).catch(() => undefined);
    return true;
  }

  #flowControl(subject: string): boolean {
    const [streamName, consumerName] = subject.slice(flowControlPrefix.length).split('.');
    const consumer = this.#context.streams.find(streamName!)?.findConsumer(consumerName ?? '');
    if (!consumer?.push) return false;
    consumer.push.flowControlAnswered(subject);
    return true;
  }

  // ---- what happens in the broker

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
