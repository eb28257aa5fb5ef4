import { bytes, type Box, type DeadLetters } from '../../../embedded/index.ts';
import type { LetterStore, StoredLetter } from '../../driver.ts';
import { letterKey, originOf } from '../letter-headers.ts';
import { stored } from './stored.ts';

/** The dead letters in a topic of a box. */
export class BoxLetters implements LetterStore {
  readonly #box: Box;
  readonly #topic: string;
  readonly #letters: DeadLetters<unknown>;

  constructor(box: Box, topic: string) {
    this.#box = box;
    this.#topic = topic;
    this.#letters = box.deadLetters(topic);
  }

  async count(): Promise<number> {
    return this.#letters.count;
  }

  async *browse(signal?: AbortSignal): AsyncGenerator<StoredLetter, void, void> {
    if (!this.#box.topics.includes(this.#topic)) return;
    const topic = await this.#box.topic(this.#topic, { codec: bytes });
    for await (const letter of topic.browse(signal ? { signal } : {})) {
      const headers = Array.from(letter.headers, ([name, value]) => ({ name, value: Buffer.from(value) }));
      yield { message: { ...stored(letter), key: letterKey(headers) }, origin: originOf(headers) };
    }
  }

  async redrive(limit: number): Promise<number> {
    return (await this.#letters.redrive({ limit })).moved;
  }

  purge(): Promise<number> {
    return this.#letters.purge();
  }
}
