import {
  BoxError,
  checks,
  json,
  schemaCodec,
  type AnyCodec,
  type Checks,
  type CodecInput,
  type CodecOutput,
  type SchemaInput,
  type SchemaOutput,
  type StandardSchema,
} from '../embedded/values.ts';
import {
  closeChecks,
  closeTimeoutMs,
  requireFeatures,
  type ClientContext,
  type Closable,
  type CloseOptions,
} from './context.ts';
import type { Driver } from './driver.ts';
import { closedError } from './errors.ts';
import type { Capabilities } from './features.ts';
import { MessageIds } from './publish.ts';
import { PublishWindow } from './publish-window.ts';
import { Topic } from './topic.ts';
import { checkName, topicChecks, topicFeatures, type TopicSettings } from './topic-settings.ts';
import type { Clock, Random } from '../util/index.ts';

export interface SchemaOptions<S extends StandardSchema> extends TopicSettings {
  /** A schema of any library that follows Standard Schema (zod, valibot, arktype …). */
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

/** The parts of a client, see `connect`. */
export interface ClientParts {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly random: Random;
  readonly unackedPublishesMax: number;
  readonly waitingPublishesMax: number;
  readonly onFault: ((error: Error) => void) | undefined;
}

/**
 * A client speaks to one target, whatever that is: a broker in this process, a Pillarbox server, or a cluster
 * of another kind. `connect` makes one.
 *
 * ```ts
 * import { connect } from 'pillarbox/client';
 *
 * await using client = await connect('memory:'); // or 'pillarbox://host', 'nats://host', …
 * const emails = await client.topic('emails', { retention: 'queue' });
 * const senders = await emails.group('senders');
 * senders.consume((message) => {
 *   console.log('sent', message.value); // prints: sent { to: 'ada@example.org' }
 * });
 * await emails.publish({ to: 'ada@example.org' });
 * await senders.drained();
 * ```
 */
export class Client implements AsyncDisposable {
  /** The target, without credentials. */
  readonly target: string;
  readonly #context: ClientContext;
  readonly #open: Set<Closable> = new Set();
  #closed: Promise<void> | undefined;

  constructor({ driver, clock, random, onFault, ...limits }: ClientParts) {
    this.target = driver.target;
    this.#context = {
      driver,
      clock,
      random,
      ids: new MessageIds(random),
      window: new PublishWindow(limits.unackedPublishesMax, limits.waitingPublishesMax),
      open: this.#open,
      report: (error) => onFault?.(error),
    };
  }

  /** What the target can do, and who does it. */
  get capabilities(): Capabilities {
    return this.#context.driver.capabilities;
  }

  /**
   * Opens a topic, or creates it. On an existing topic, settings that are given change and the others stay.
   * With a schema the types of the values follow from it, and values are checked when they are published and
   * again when they are consumed.
   *
   * ```ts
   * import { connect } from 'pillarbox/client';
   * import { z } from 'zod';
   *
   * await using client = await connect('memory:');
   * const orders = await client.topic('orders', {
   *   schema: z.object({ id: z.number(), customer: z.string() }),
   *   key: (order) => order.customer,
   * });
   * await orders.publish({ id: 1, customer: 'ada' });
   * // @ts-expect-error: `id` is a number
   * await orders.publish({ id: 'one', customer: 'ada' }).catch((error) => console.log(error.code)); // prints: value-invalid
   *
   * const message = await (await orders.group('billing')).next();
   * console.log(message?.value.id, message?.key); // prints: 1 ada
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
    checkName('topic()', name);
    checks.checkOptions('topic()', options, { ...topicChecks, ...valueChecks });
    const { schema, codec, key, ...settings } = options;
    if (schema && codec)
      throw new BoxError(
        'option-invalid',
        'topic() takes a schema or a codec, not both: a schema is JSON that is checked.',
      );
    if (this.#closed) throw closedError('The client');
    requireFeatures(this.#context, topicFeatures(settings));
    await this.#context.driver.declareTopic(name, settings);
    return new Topic<never, unknown>(
      this.#context,
      name,
      schema ? schemaCodec(schema) : (codec ?? json()),
      key,
    );
  }

  /**
   * Ends loops, waits for running handlers and for publishes under way, gives all answers to the target, and
   * ends the connection.
   */
  close(options: CloseOptions = {}): Promise<void> {
    checks.checkOptions('close()', options, closeChecks);
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(options: CloseOptions): Promise<void> {
    const { window, driver, clock } = this.#context;
    await Promise.all([...this.#open].map((consumer) => consumer.close(options)));
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimer(options.timeoutMs ?? closeTimeoutMs, resolve);
    });
    await Promise.race([window.drain(), late]);
    timer?.cancel();
    window.refuseWaiting(closedError('The client'));
    await driver.close();
  }
}

const valueChecks: Checks<{ schema: unknown; codec: unknown; key: unknown }> = {
  schema: checks.schemaLike,
  codec: checks.codecLike,
  key: checks.callback,
};
