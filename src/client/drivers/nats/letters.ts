import type { LetterStore, StoredLetter } from '../../driver.ts';
import type { Header } from '../../../broker/index.ts';
import { letterKey, originOf } from '../letter-headers.ts';
import { idHeader } from '../message-id.ts';
import type { Connection } from './connection.ts';
import { readHeaderBlock } from './header-block.ts';
import { msgIdHeader, stored, type NatsMessage } from './stored.ts';
import { keyOfSubject, subjectOf } from './subjects.ts';
import { errorCodes, type ApiAnswer, type StoredMessageJson, type StreamInfo } from './wire.ts';

/** Publishes to a topic as it is told, headers included. */
export type PublishRaw = (
  topic: string,
  subject: string,
  value: Uint8Array,
  headers: readonly Header[],
) => Promise<void>;

/** The dead letters in a stream. */
export class NatsLetters implements LetterStore {
  readonly #connection: Connection;
  readonly #stream: string;
  readonly #publish: PublishRaw;

  constructor(connection: Connection, stream: string, publish: PublishRaw) {
    this.#connection = connection;
    this.#stream = stream;
    this.#publish = publish;
  }

  async count(): Promise<number> {
    const info = await this.#connection.ask<StreamInfo>(
      `STREAM.INFO.${this.#stream}`,
      {},
      errorCodes.streamNotFound,
    );
    return info?.state.messages ?? 0;
  }

  async *browse(signal?: AbortSignal): AsyncGenerator<StoredLetter, void, void> {
    for await (const found of this.#read(signal)) yield letterOf(found);
  }

  /**
   * Puts a dead letter into its topic, and deletes it then. After a crash between the two it is put there
   * again, with the same id, which the server knows for as long as it remembers ids.
   */
  async redrive(limit: number): Promise<number> {
    let moved = 0;
    if (limit <= 0) return moved;
    for await (const found of this.#read()) {
      const { message, origin } = letterOf(found);
      const headers = [
        ...message.headers,
        idHeader(message.id),
        { name: msgIdHeader, value: Buffer.from(`redrive:${this.#stream}:${found.sequence}`) },
      ];
      const subject = subjectOf(origin.topic, message.key);
      await this.#publish(origin.topic, subject, found.bytes, headers);
      await this.#connection.ask(`STREAM.MSG.DELETE.${this.#stream}`, {
        seq: found.sequence,
        no_erase: true,
      });
      moved += 1;
      if (moved >= limit) break;
    }
    return moved;
  }

  async purge(): Promise<number> {
    const answer = await this.#connection.ask<ApiAnswer & { readonly purged: number }>(
      `STREAM.PURGE.${this.#stream}`,
      {},
      errorCodes.streamNotFound,
    );
    return answer?.purged ?? 0;
  }

  async *#read(signal?: AbortSignal): AsyncGenerator<NatsMessage, void, void> {
    for (let sequence = 1; ; sequence++) {
      signal?.throwIfAborted();
      const answer = await this.#connection.ask<StoredMessageJson>(
        `STREAM.MSG.GET.${this.#stream}`,
        { seq: sequence, next_by_subj: '>' },
        errorCodes.noMessage,
        errorCodes.streamNotFound,
      );
      if (!answer) return;
      const { subject, seq, hdrs, data = '', time } = answer.message;
      sequence = seq;
      yield {
        stream: this.#stream,
        subject,
        sequence,
        headers: hdrs === undefined ? [] : readHeaderBlock(Buffer.from(hdrs, 'base64')),
        bytes: Buffer.from(data, 'base64'),
        timestampMs: Date.parse(time),
      };
    }
  }
}

/** Its key is the one that it had in its topic. */
function letterOf(found: NatsMessage): StoredLetter {
  const origin = originOf(found.headers);
  const subject = letterKey(found.headers);
  const key = subject === undefined || subject === origin.topic ? undefined : subject;
  const own = key === undefined ? undefined : (keyOfSubject(origin.topic, key) ?? key);
  return { message: { ...stored(found), key: own }, origin };
}
