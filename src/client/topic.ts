import { checks, encodeBy, type AnyCodec } from '../embedded/values.ts';
import { requireFeatures, type ClientContext } from './context.ts';
import type { OutgoingMessage, Published } from './driver.ts';
import { Group } from './group.ts';
import { groupChecks, groupFeatures, type GroupSettings } from './group-settings.ts';
import {
  batchMessageChecks,
  messageFeatures,
  outgoing,
  publishChecks,
  type BatchMessage,
  type MessageOptions,
  type PublishOptions,
} from './publish.ts';
import { checkName } from './topic-settings.ts';

const noOptions = {};

/**
 * A topic is a named log or queue of messages at the target. `In` is the type of published values and `Out`
 * that of consumed values. They differ only for schemas that convert.
 */
export class Topic<In, Out = In> {
  readonly name: string;
  readonly #context: ClientContext;
  readonly #codec: AnyCodec;
  readonly #keyOf: ((value: In) => string) | undefined;

  constructor(
    context: ClientContext,
    name: string,
    codec: AnyCodec,
    keyOf: ((value: In) => string) | undefined,
  ) {
    this.#context = context;
    this.name = name;
    this.#codec = codec;
    this.#keyOf = keyOf;
  }

  /**
   * Publishes a message; resolves once the target has it for good. Messages keep the order of the calls.
   * While too many are under way (see `unackedPublishesMax` of `connect`), a call waits for its turn. If the
   * connection is lost, the client sends it again, with the same dedupe id.
   */
  async publish(value: In, options: PublishOptions = noOptions): Promise<Published> {
    if (options !== noOptions) checks.checkOptions('publish()', options, publishChecks);
    const message = this.#outgoing(value, options);
    const ready = message instanceof Promise ? await message : message;
    const { driver, window } = this.#context;
    return window.run(() => driver.publish(this.name, ready), options.signal);
  }

  /**
   * Publishes several messages, in order; resolves once the target has all of them. It is no batch: after a
   * crash some may be there. `publishBatch` is all or nothing.
   */
  async publishEach(
    values: Iterable<In>,
    options: Omit<MessageOptions, 'dedupeId' | 'id'> = noOptions,
  ): Promise<Published[]> {
    return Promise.all(Array.from(values, (value) => this.publish(value, options)));
  }

  /** Publishes messages all or none. Not every target can: it throws an UnsupportedError then. */
  async publishBatch(
    values: Iterable<In>,
    options: Omit<MessageOptions, 'dedupeId' | 'id'> = noOptions,
  ): Promise<Published[]> {
    const messages: BatchMessage<In>[] = [];
    for (const value of values) messages.push({ ...options, value });
    return this.publishMessages(messages);
  }

  /** {@link publishBatch} with options for each message. */
  async publishMessages(messages: Iterable<BatchMessage<In>>): Promise<Published[]> {
    requireFeatures(this.#context, ['batches']);
    const ready: OutgoingMessage[] = [];
    for (const message of messages) {
      checks.checkOptions('publishMessages()', message, batchMessageChecks);
      ready.push(await this.#outgoing(message.value, message));
    }
    const { driver, window } = this.#context;
    return window.run(() => driver.publishBatch!(this.name, ready));
  }

  #outgoing(value: In, given: MessageOptions): OutgoingMessage | Promise<OutgoingMessage> {
    const { clock, ids } = this.#context;
    const key = given.key ?? this.#keyOf?.(value);
    if (key !== undefined) checks.checkValue('publish()', 'the key', key, checks.text);
    const options = key === undefined ? given : { ...given, key };
    if (options !== noOptions) requireFeatures(this.#context, messageFeatures(options));
    const encoded = encodeBy(this.#codec, value);
    if (!(encoded instanceof Promise)) return outgoing(clock, ids, encoded, options);
    return encoded.then((encoded) => outgoing(clock, ids, encoded, options));
  }

  /**
   * Opens a group, or creates it with these settings. On an existing group, settings that are given change,
   * the others stay, and `start` has no effect.
   */
  async group(name: string, settings: GroupSettings = {}): Promise<Group<Out>> {
    checkName('group()', name);
    checks.checkOptions('group()', settings, groupChecks);
    requireFeatures(this.#context, groupFeatures(settings));
    const plan = await this.#context.driver.declareGroup(this.name, name, settings);
    return new Group<Out>(this.#context, plan, this.#codec);
  }
}
