import { chain } from '../databases/index.ts';
import { OutboxError } from './errors.ts';
import { newRow, type OutboxMessageOptions } from './row.ts';
import type { OutboxTable } from './outbox-table.ts';

/** Makes bytes of a value. The codecs of the embedded API that work synchronously are such encoders. */
export interface Encoder<In> {
  encode(value: In): Uint8Array | string;
}

export interface OutboxTopicOptions<In> {
  /** Default: JSON. */
  readonly codec?: Encoder<In>;
  /** The key of a message whose publish gives none. */
  readonly key?: (value: In) => string;
}

/** A topic of an outbox: what is published goes to the topic of this name, once its transaction commits. */
export class OutboxTopic<Tx, In> {
  readonly name: string;
  readonly #table: OutboxTable<Tx>;
  readonly #notify: boolean;
  readonly #options: OutboxTopicOptions<In>;

  constructor(table: OutboxTable<Tx>, notify: boolean, name: string, options: OutboxTopicOptions<In>) {
    if (typeof name !== 'string' || name === '')
      throw new OutboxError('option-invalid', 'topic() cannot be called so: the name must be a text.');
    this.#table = table;
    this.#notify = notify;
    this.name = name;
    this.#options = options;
  }

  /**
   * Publishes inside a transaction of yours: the message leaves if it commits, and never was if it is rolled
   * back. Returns the id of the message; SQLite at once, the other databases by a promise, which is to be
   * awaited before the commit. Publish after the statements that the order of messages should follow; see
   * docs/outbox.md.
   */
  publish(tx: Tx, value: In, options: OutboxMessageOptions = {}): string | Promise<string> {
    const { codec = json, key: keyOf } = this.#options;
    const key = options.key ?? keyOf?.(value);
    const encoded = codec.encode(value);
    const bytes = typeof encoded === 'string' ? new TextEncoder().encode(encoded) : encoded;
    const row = newRow(this.name, bytes, key === undefined ? options : { ...options, key });
    return chain(this.#table.insert(tx, row, this.#notify), () => row.id);
  }
}

const json: Encoder<unknown> = {
  encode(value) {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) return text;
    throw new OutboxError('value-invalid', `A value of type ${typeof value} has no JSON.`);
  },
};
