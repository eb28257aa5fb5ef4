import type { Group, Topic } from '../../../broker/index.ts';
import { StreamConsumer } from './consumer.ts';
import type { Context } from './context.ts';
import { apiError } from './errors.ts';
import { KeySubjects } from './key-subjects.ts';
import { coreName } from './names.ts';
import { streamConfigOf, type StreamConfig } from './stream-config.ts';

/**
 * A stream is a topic as NATS clients see it. All its state is derived from the topic and kept ready here.
 */
export class Stream {
  readonly topic: Topic;
  readonly #context: Context;
  readonly #consumers = new Map<Group, StreamConsumer>();
  #config: StreamConfig;
  #keySubjects: KeySubjects;
  #pubAckPrefix: Buffer;
  /** The name of the stream, which is also the subject of messages without one. */
  readonly nameBytes: Buffer;

  constructor(context: Context, topic: Topic) {
    this.#context = context;
    this.topic = topic;
    this.#config = streamConfigOf(topic);
    this.#keySubjects = new KeySubjects(allSubjects(topic, this.#config));
    this.#pubAckPrefix = pubAckPrefix(this.#config.name);
    this.nameBytes = Buffer.from(this.#config.name);
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): StreamConfig {
    return this.#config;
  }

  /** To be called when the topic has a new configuration. */
  configured(): void {
    this.#config = streamConfigOf(this.topic);
    this.#keySubjects = new KeySubjects(allSubjects(this.topic, this.#config));
    this.#pubAckPrefix = pubAckPrefix(this.#config.name);
  }

  /** `{"stream":"S","seq":`: a PubAck without its number. */
  get pubAckPrefix(): Buffer {
    return this.#pubAckPrefix;
  }

  get keySubjects(): KeySubjects {
    return this.#keySubjects;
  }

  /**
   * The subject that a message with this key shows: the key if the stream captures it, otherwise the name of
   * the stream.
   */
  subjectOfKey(key: string): string {
    return this.#keySubjects.hasText(key) ? key : this.name;
  }

  // ---- consumers

  consumerOf(group: Group): StreamConsumer {
    let consumer = this.#consumers.get(group);
    if (!consumer) {
      consumer = new StreamConsumer(this.#context, this, group);
      this.#consumers.set(group, consumer);
    }
    return consumer;
  }

  findConsumer(name: string): StreamConsumer | undefined {
    const { groups } = this.topic;
    const group = groups.get(coreName(name, groups));
    return group && this.consumerOf(group);
  }

  /** Throws 10014 `consumer not found`. */
  getConsumer(name: string): StreamConsumer {
    const consumer = this.findConsumer(name);
    if (!consumer) throw apiError('consumerNotFound');
    return consumer;
  }

  /** All consumers, sorted by name. */
  consumers(): StreamConsumer[] {
    const consumers = [...this.topic.groups.values()].map((group) => this.consumerOf(group));
    return consumers.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  groupUpdated(group: Group): void {
    this.#consumers.get(group)?.configured();
  }

  groupDeleted(group: Group): void {
    this.#consumers.get(group)?.deleted();
    this.#consumers.delete(group);
  }
}

/**
 * The subjects that the stream captures, and those that it captured before an update: messages published
 * under them keep their subject.
 */
function allSubjects(topic: Topic, config: StreamConfig): readonly string[] {
  const past = topic.config.attributes['natsPastSubjects'];
  return Array.isArray(past) ? [...config.subjects, ...(past as string[])] : config.subjects;
}

function pubAckPrefix(name: string): Buffer {
  return Buffer.from(`{"stream":${JSON.stringify(name)},"seq":`);
}
