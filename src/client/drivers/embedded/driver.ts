import {
  BrokerError,
  bytes,
  open,
  type Box,
  type GroupConfig,
  type GroupSettings as BoxGroupSettings,
  type MessageOptions,
  type Published as BoxPublished,
  type Topic,
} from '../../../embedded/index.ts';
import type { DriverOptions } from '../../connect.ts';
import type {
  DeliverySink,
  Driver,
  Lag,
  LetterStore,
  OutgoingMessage,
  Published,
  Puller,
} from '../../driver.ts';
import { ClientError, type ClientErrorCode } from '../../errors.ts';
import type { Capabilities } from '../../features.ts';
import {
  ackWaitDefaultMs,
  retryPlan,
  type GroupPlan,
  type GroupSettings,
  type RetryPlan,
} from '../../group-settings.ts';
import type { TopicSettings } from '../../topic-settings.ts';
import { idHeader } from '../message-id.ts';
import { fileCapabilities, memoryCapabilities } from './capabilities.ts';
import { BoxPuller } from './puller.ts';
import { BoxLetters } from './letters.ts';

/** Opens a broker in this process; without a directory its data is in memory. */
export async function openEmbedded(dir: string | undefined, options: DriverOptions): Promise<Driver> {
  const { clock, random } = options;
  const target = dir === undefined ? 'memory:' : `file:${dir}`;
  const box = await open({ clock, random, ...(dir === undefined ? {} : { dir }) }).catch((error: unknown) => {
    throw new ClientError('unreachable', `${target} cannot be opened: ${(error as Error).message}`, error);
  });
  return new EmbeddedDriver(target, box, dir === undefined ? memoryCapabilities : fileCapabilities);
}

/** A broker in this process. */
class EmbeddedDriver implements Driver {
  readonly target: string;
  readonly capabilities: Capabilities;
  readonly #box: Box;
  readonly #topics = new Map<string, Topic<Uint8Array>>();

  constructor(target: string, box: Box, capabilities: Capabilities) {
    this.target = target;
    this.capabilities = capabilities;
    this.#box = box;
  }

  async declareTopic(name: string, settings: TopicSettings): Promise<void> {
    const topic = await asked(this.#box.topic(name, { ...settings, codec: bytes }));
    this.#topics.set(name, topic);
  }

  async declareGroup(topicName: string, name: string, settings: GroupSettings): Promise<GroupPlan> {
    const topic = this.#topic(topicName);
    const given = topic.groups.includes(name) ? settings : newGroup(topicName, name, settings);
    const { config } = await asked(topic.group(name, boxSettings(given)));
    return { topic: topicName, name, ackWaitMs: config.ackWaitMs, ...retriesOf(config) };
  }

  async publish(topic: string, message: OutgoingMessage): Promise<Published> {
    const [value, options] = boxMessage(message);
    return published(message, await asked(this.#topic(topic).publish(value, options)));
  }

  async publishBatch(topic: string, messages: readonly OutgoingMessage[]): Promise<Published[]> {
    const given = messages.map((message) => {
      const [value, options] = boxMessage(message);
      return { value, ...options };
    });
    const results = await asked(this.#topic(topic).publishMessages(given));
    return results.map((result, at) => published(messages[at]!, result));
  }

  consume(plan: GroupPlan, sink: DeliverySink): Puller {
    return new BoxPuller(this.#topic(plan.topic).group(plan.name), sink);
  }

  async lag({ topic, name }: GroupPlan): Promise<Lag> {
    const { lag, inFlight } = await this.#topic(topic).group(name);
    return { lag, inFlight };
  }

  async drained({ topic, name }: GroupPlan, signal: AbortSignal | undefined): Promise<void> {
    const group = await this.#topic(topic).group(name);
    await group.drained(signal ? { signal } : {});
  }

  letters(topic: string): LetterStore {
    return new BoxLetters(this.#box, topic);
  }

  close(): Promise<void> {
    return this.#box.close();
  }

  #topic(name: string): Topic<Uint8Array> {
    return this.#topics.get(name)!;
  }
}

/** The settings of a new group, with the client's defaults. */
function newGroup(topic: string, name: string, settings: GroupSettings): GroupSettings {
  const { deadLetter = false, ...retries } = retryPlan(topic, name, settings);
  return { ackWaitMs: ackWaitDefaultMs, ...settings, ...retries, deadLetter };
}

function boxSettings({ maxInFlight, ...settings }: GroupSettings): BoxGroupSettings {
  return maxInFlight === undefined ? settings : { ...settings, concurrency: maxInFlight };
}

function retriesOf(config: GroupConfig): RetryPlan {
  const { maxDeliver, backoffMs, backoffJitter, deadLetter } = config;
  return {
    maxDeliver: maxDeliver ?? Infinity,
    backoffMs,
    backoffJitter,
    deadLetter: typeof deadLetter === 'string' ? deadLetter : undefined,
  };
}

function boxMessage(message: OutgoingMessage): [value: Uint8Array, options: MessageOptions] {
  const { id, dedupes, key, headers, value, deliverAtMs, ttlMs, priority } = message;
  const pairs = [...headers, idHeader(id)].map(({ name, value }) => [name, value ?? ''] as const);
  const options: MessageOptions = {
    headers: pairs,
    ...(dedupes ? { dedupeId: id } : {}),
    ...(key === undefined ? {} : { key }),
    ...(deliverAtMs === undefined ? {} : { deliverAtMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(priority === undefined ? {} : { priority }),
  };
  return [typeof value === 'string' ? Buffer.from(value, 'utf8') : value, options];
}

function published({ id }: OutgoingMessage, { offset, partition, duplicate }: BoxPublished): Published {
  return { id, offset, partition, duplicate };
}

/** The client's codes for refusals of the broker; the others are `refused`. */
const codes: { readonly [code: string]: ClientErrorCode } = {
  'topic-full': 'topic-full',
  'topic-bytes-full': 'topic-full',
  'message-too-large': 'message-too-large',
  'message-invalid': 'message-invalid',
  closed: 'closed',
};

/** Passes refusals on in the client's words. */
async function asked<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw new ClientError(codes[error.code] ?? 'refused', error.message, error);
  }
}
