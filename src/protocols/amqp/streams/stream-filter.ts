import type { Record } from '../../../broker/index.ts';
import type { FieldTable } from '../../../wire/amqp/index.ts';

/** The header by which a publisher puts its message under a filter. */
const valueHeader = 'x-stream-filter-value';

export const filterArgument = 'x-stream-filter';
export const unfilteredArgument = 'x-stream-match-unfiltered';

/**
 * A stream filter passes the messages whose filter value is one of some, and on request those without a
 * value. It looks at every message, so that no other one passes, as some do in RabbitMQ.
 */
export class StreamFilter {
  readonly #values: readonly Buffer[];
  readonly #matchesUnfiltered: boolean;

  constructor(values: readonly string[], matchesUnfiltered: boolean) {
    this.#values = values.map((value) => Buffer.from(value, 'utf8'));
    this.#matchesUnfiltered = matchesUnfiltered;
  }

  /** The filter that the arguments of a consumer ask for; undefined: none. */
  static of(table: FieldTable): StreamFilter | undefined {
    const given = table.get(filterArgument);
    const values = typeof given === 'string' ? [given] : Array.isArray(given) ? given : undefined;
    if (values === undefined) return undefined;
    const texts = values.filter((value): value is string => typeof value === 'string');
    return new StreamFilter(texts, table.get(unfilteredArgument) === true);
  }

  passes(record: Record): boolean {
    const value = record.hasHeaders ? valueOf(record) : null;
    if (value === null) return this.#matchesUnfiltered;
    return this.#values.some((one) => one.equals(value));
  }
}

function valueOf({ headers }: Record): Uint8Array | null {
  for (const { name, value } of headers) if (name === valueHeader) return value;
  return null;
}
