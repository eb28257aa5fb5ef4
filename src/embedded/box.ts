import {
  BrokerError,
  type Broker,
  type BrokerEvent,
  type BrokerHealth,
  type BrokerStats,
  type Group as CoreGroup,
  type Topic as CoreTopic,
} from '../broker/index.ts';
import type { Clock } from '../util/index.ts';
import { json, schemaCodec, type AnyCodec, type CodecInput, type CodecOutput } from './codec.ts';
import { Commits } from './commits.ts';
import {
  checkCloseOptions,
  type AnswerWatcher,
  type BoxContext,
  type Closable,
  type CloseOptions,
} from './context.ts';
import { DeadLetters } from './dead-letters.ts';
import { BoxError } from './errors.ts';
import { boxEvent, type BoxEvent } from './events.ts';
import { KeepAlive } from './keep-alive.ts';
import { Live } from './live.ts';
import {
  callback,
  checkOptions,
  checkValue,
  codecLike,
  filledText,
  objectWith,
  schemaLike,
  text,
  type Checks,
} from './options.ts';
import { PublishWindow } from './publish-window.ts';
import type { SchemaInput, SchemaOutput, StandardSchema } from './schema.ts';
import { Schedule, scheduleOptions, type ScheduleSettings } from './schedule.ts';
import { Topic } from './topic.ts';
import { changedTopic, newTopic, type TopicSettings } from './topic-settings.ts';
import { Tracing, type OpenTelemetryApi } from './tracing.ts';

/**
 * How the values of a topic are written and read: checked by a schema, by a codec, or as JSON of any shape.
 */
export interface SchemaOptions<S extends StandardSchema> extends TopicSettings {
  /**
   * A schema of any library that follows Standard Schema (zod, valibot, arktype …). Values are JSON that fits
   * it.
   */
  readonly schema: S;
  /** The key of a message whose publish gives none. */
  readonly key?: (value: SchemaInput<S>) => string;
}

export interface CodecOptions<C extends AnyCodec> extends TopicSettings {
  readonly codec: C;
  /** The key of a message whose publish gives none. */
  readonly key?: (value: CodecInput<C>) => string;
}

export interface PlainOptions<T = unknown> extends TopicSettings {
  readonly schema?: undefined;
  readonly codec?: undefined;
  /** The key of a message whose publish gives none. */
  readonly key?: (value: T) => string;
}

/** The parts of a box, see `open`. */
export interface BoxParts {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly unackedPublishesMax: number;
  readonly keepsProcessAlive: boolean;
  readonly openTelemetry?: OpenTelemetryApi | undefined;
  /** Whether closing the box closes the broker. */
  readonly ownsBroker: boolean;
}

/**
 * A box is a broker inside this process: topics, groups and live subjects, in memory or in a directory.
 * `open` makes one.
 *
 * ```ts
 * import { open } from 'pillarbox';
 *
 * await using box = await open();
 * const emails = await box.topic('emails', { retention: 'queue' });
 * await emails.publish({ to: 'ada@example.org' });
 *
 * const senders = await emails.group('senders');
 * senders.consume((message) => {
 *   console.log('sent', message.value); // prints: sent { to: 'ada@example.org' }
 * });
 * await senders.drained();
 * console.log(emails.count, 'left'); // prints: 0 left
 * ```
 */
export class Box implements AsyncDisposable {
  /** Live subjects: messages for the current subscribers, never on disk. */
  readonly live: Live;
  readonly #parts: BoxParts;
  readonly #broker: Broker;
  readonly #context: BoxContext;
  readonly #commits: Commits;
  readonly #open: Set<Closable> = new Set();
  readonly #watchers = new Map<CoreGroup, Set<AnswerWatcher>>();
  readonly #stopWatching: () => void;
  #closed: Promise<void> | undefined;

  constructor(parts: BoxParts) {
    const { broker, clock } = parts;
    this.#parts = parts;
    this.#broker = broker;
    this.#commits = new Commits(broker);
    this.#context = {
      broker,
      clock,
      window: new PublishWindow(broker, parts.unackedPublishesMax),
      keepAlive: new KeepAlive(parts.keepsProcessAlive),
      tracing: parts.openTelemetry && new Tracing(parts.openTelemetry),
      open: this.#open,
      answered: (group) => this.#answered(group),
      watchAnswers: (group, watcher) => this.#watchAnswers(group, watcher),
      answerOf: (counts) => this.#commits.answerOf(counts),
    };
    this.live = new Live(this.#context);
    if (broker.health.failed !== undefined)
      this.#failed(new BrokerError('storage-failed', broker.health.failed));
    this.#stopWatching = broker.events.subscribe((event) => this.#hear(event));
  }

  // ---- topics

  /**
   * Opens a topic, or creates it. On an existing topic, settings that are given change and the others stay.
   *
   * With a schema the types of the values follow from it. A wrong value does not compile, and none reaches a
   * handler: a stored message that does not fit the schema goes to the dead-letter topic of the group that
   * meets it.
   *
   * ```ts
   * import { open } from 'pillarbox';
   * import { z } from 'zod';
   *
   * await using box = await open();
   * const orders = await box.topic('orders', {
   *   schema: z.object({ id: z.number(), customer: z.string() }),
   *   key: (order) => order.customer,
   * });
   * await orders.publish({ id: 1, customer: 'ada' });
   * // @ts-expect-error: `id` is a number
   * await orders.publish({ id: 'one', customer: 'ada' }).catch((error) => console.log(error.code)); // prints: value-invalid
   *
   * const billing = await orders.group('billing', { ordering: 'key' });
   * const message = await billing.next();
   * console.log(message?.value.id, message?.key); // prints: 1 ada
   * ```
   *
   * Without a schema, values are JSON: every JSON value, strings included, comes out as it went in.
   * `box.topic<Order>('orders')` gives them a type, which is not checked. Other formats have codecs:
   *
   * ```ts
   * import { open, bytes, json, text } from 'pillarbox';
   *
   * await using box = await open();
   * const notes = await box.topic('notes', { codec: text });
   * await notes.publish('as it is, without quotes');
   * const pictures = await box.topic('pictures', { codec: bytes, messageBytesMax: 10_000_000 });
   * await pictures.publish(new Uint8Array([137, 80, 78, 71]));
   * const orders = await box.topic('orders', { codec: json<{ id: number }>() });
   * await orders.publish({ id: 7 });
   * for await (const message of orders.browse()) console.log(message.value.id); // prints: 7
   * ```
   */
  topic<S extends StandardSchema>(
    name: string,
    options: SchemaOptions<S>,
  ): Promise<Topic<SchemaInput<S>, SchemaOutput<S>>>;
  topic<C extends AnyCodec>(
    name: string,
    options: CodecOptions<C>,
  ): Promise<Topic<CodecInput<C>, CodecOutput<C>>>;
  topic<T = unknown>(name: string, options?: PlainOptions<T>): Promise<Topic<T>>;
  async topic(
    name: string,
    options: TopicSettings & {
      readonly schema?: StandardSchema | undefined;
      readonly codec?: AnyCodec | undefined;
      readonly key?: (value: never) => string;
    } = {},
  ): Promise<Topic<never, unknown>> {
    checkValue('topic()', 'the name', name, text);
    checkValue('topic()', 'the settings', options, objectWith());
    const { schema, codec, key, ...settings } = options;
    checkOptions('topic()', { schema, codec, key }, valueChecks);
    if (schema && codec)
      throw new BoxError(
        'option-invalid',
        'topic() takes a schema or a codec, not both: a schema is JSON that is checked.',
      );
    const core = this.#broker.topic(name) ?? (await this.#createTopic(name, settings));
    const changed = changedTopic(core.config, settings);
    if (changed) await core.update(changed);
    return new Topic<never, unknown>(
      this.#context,
      core,
      schema ? schemaCodec(schema) : (codec ?? json()),
      key,
    );
  }

  async #createTopic(name: string, settings: TopicSettings): Promise<CoreTopic> {
    try {
      return await this.#broker.createTopic(newTopic(name, settings));
    } catch (error) {
      // A concurrent call created the topic first; use that one.
      const core = this.#broker.topic(name);
      if (core && error instanceof BrokerError && error.code === 'topic-exists') return core;
      throw error;
    }
  }

  /** Names of the topics, dead-letter topics included. */
  get topics(): string[] {
    return [...this.#broker.topics.keys()];
  }

  /** The dead letters in the topic of that name, from all groups. */
  deadLetters<T = unknown>(topic: string): DeadLetters<T> {
    checkValue('deadLetters()', 'the topic', topic, filledText);
    return new DeadLetters<T>(this.#context, json(), topic);
  }

  // ---- schedules

  /**
   * Defines a schedule, or changes the one of that name; see {@link Schedule}. Its topic must exist. Defining
   * it again with the same settings changes nothing, so a program may do so at each start. Resolves once it
   * is on disk.
   */
  async schedule<T = unknown>(name: string, settings: ScheduleSettings<T>): Promise<Schedule> {
    const options = await scheduleOptions(name, settings);
    return new Schedule(this.#context, await this.#broker.schedules.define(options));
  }

  /** The schedules there are now, by name. */
  get schedules(): ReadonlyMap<string, Schedule> {
    const schedules = new Map<string, Schedule>();
    for (const core of this.#broker.schedules.list())
      schedules.set(core.name, new Schedule(this.#context, core));
    return schedules;
  }

  // ---- the box as a whole

  /**
   * Calls back with events: nacks, dead letters, topics and groups created and deleted, the failure of the
   * log. Returns the function that stops this.
   */
  watch(listener: (event: BoxEvent) => void): () => void {
    checkValue('watch()', 'the listener', listener, callback);
    return this.#broker.events.subscribe((event) => listener(boxEvent(event)));
  }

  get health(): BrokerHealth {
    return this.#broker.health;
  }

  stats(): BrokerStats {
    return this.#broker.stats();
  }

  /**
   * Ends loops, waits for running handlers, and closes the broker if the box owns it: all changes are on disk
   * then.
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(options: CloseOptions): Promise<void> {
    await Promise.all([...this.#open].map((consumer) => consumer.close(options)));
    await this.#context.window.begun();
    this.#stopWatching();
    this.#endWatches(() => true, new BrokerError('closed', 'The box was closed.'));
    if (this.#parts.ownsBroker) await this.#broker.close();
    this.#commits.fail(new BrokerError('closed', 'The box was closed.'));
  }

  #hear(event: BrokerEvent): void {
    if (event.kind === 'failed') this.#failed(event.error);
    else if (event.kind === 'dead-lettered' || event.kind === 'removed') this.#answered(event.group);
    else if (event.kind === 'topic-deleted') {
      const gone = new BrokerError('topic-not-found', `Topic "${event.topic.name}" was deleted.`);
      this.#endWatches((group) => group.topic === event.topic, gone);
    } else if (event.kind === 'group-deleted') {
      const gone = new BrokerError('group-not-found', `Group "${event.group.name}" was deleted.`);
      this.#endWatches((group) => group === event.group, gone);
    }
  }

  #failed(error: BrokerError): void {
    this.#commits.fail(error);
    this.#context.window.fail(error);
  }

  #answered(group: CoreGroup): void {
    const watchers = this.#watchers.get(group);
    if (watchers) for (const watcher of watchers) watcher();
  }

  #endWatches(isGone: (group: CoreGroup) => boolean, reason: BrokerError): void {
    for (const [group, watchers] of this.#watchers)
      if (isGone(group)) for (const watcher of watchers) watcher(reason);
  }

  #watchAnswers(group: CoreGroup, watcher: AnswerWatcher): () => void {
    const watchers = this.#watchers.get(group) ?? new Set();
    this.#watchers.set(group, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(group);
    };
  }
}

const valueChecks: Checks<{ schema: unknown; codec: unknown; key: unknown }> = {
  schema: schemaLike,
  codec: codecLike,
  key: callback,
};
