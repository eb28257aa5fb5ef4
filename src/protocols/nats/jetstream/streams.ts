import type { Topic } from '../../../broker/index.ts';
import { apiError } from './errors.ts';
import type { Context } from './context.ts';
import { coreName } from './names.ts';
import { Stream } from './stream.ts';

/**
 * All streams: one per topic, even if another protocol created the topic. The state of a stream is derived
 * from its topic and dropped with it.
 */
export class Streams {
  readonly #context: Context;
  readonly #byTopic = new Map<Topic, Stream>();

  constructor(context: Context) {
    this.#context = context;
  }

  of(topic: Topic): Stream {
    let stream = this.#byTopic.get(topic);
    if (!stream) {
      stream = new Stream(this.#context, topic);
      this.#byTopic.set(topic, stream);
    }
    return stream;
  }

  find(name: string): Stream | undefined {
    const { broker } = this.#context;
    const topic = broker.topic(coreName(name, broker.topics));
    return topic && this.of(topic);
  }

  /** Throws 10059 `stream not found`. */
  get(name: string): Stream {
    const stream = this.find(name);
    if (!stream) throw apiError('streamNotFound');
    return stream;
  }

  /** All streams, sorted by name. */
  all(): Stream[] {
    const streams = [...this.#context.broker.topics.values()].map((topic) => this.of(topic));
    return streams.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  topicUpdated(topic: Topic): void {
    this.#byTopic.get(topic)?.configured();
  }

  topicDeleted(topic: Topic): void {
    this.#byTopic.delete(topic);
  }
}
