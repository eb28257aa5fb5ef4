import type { SqlRow } from '../databases/index.ts';
import { OutboxError } from './errors.ts';

/** Options of a message that is published by an outbox. */
export interface OutboxMessageOptions {
  /** Messages of one key keep their order. */
  readonly key?: string;
  readonly headers?: { readonly [name: string]: string } | Iterable<readonly [name: string, value: string]>;
  /** The id of the message, for dedupe and for inboxes. Default: a random UUID. */
  readonly id?: string;
  readonly priority?: number;
  readonly ttlMs?: number;
  /** The message is not visible before so many milliseconds from now are over, or before `deliverAtMs`. */
  readonly delayMs?: number;
  readonly deliverAtMs?: number;
}

/** The options that are kept as JSON beside the columns. */
export interface StoredOptions {
  readonly headers?: readonly (readonly [string, string])[];
  readonly priority?: number;
  readonly ttlMs?: number;
  readonly deliverAtMs?: number;
}

/** A message to insert. */
export interface NewRow {
  readonly id: string;
  readonly topic: string;
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly options: StoredOptions;
}

/** A row is a message that waits in the outbox. */
export interface OutboxRow extends NewRow {
  /** Its number: rows are published in this order. */
  readonly seq: number;
  /** Failed publishes that were held against the row. */
  readonly attempts: number;
}

const names = ['key', 'headers', 'id', 'priority', 'ttlMs', 'delayMs', 'deliverAtMs'];
/** Ids go into headers and dedupe windows: none is longer than an inbox takes. */
const idCharactersMax = 200;

export function newRow(topic: string, value: Uint8Array, given: OutboxMessageOptions): NewRow {
  const { key = null, headers, id = crypto.randomUUID(), priority, ttlMs, delayMs } = given;
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) refuse(`there is no option "${unknown}"; it takes ${names.join(', ')}`);
  if (typeof id !== 'string' || !/^[!-~]+$/.test(id) || id.length > idCharactersMax)
    refuse(`id must be a text of 1 to ${idCharactersMax} visible ASCII characters`);
  if (key !== null && typeof key !== 'string') refuse('key must be a text');
  if (delayMs !== undefined && given.deliverAtMs !== undefined)
    refuse('it takes delayMs or deliverAtMs, not both');
  for (const [name, number] of Object.entries({ priority, ttlMs, delayMs, deliverAtMs: given.deliverAtMs }))
    if (number !== undefined && !(Number.isFinite(number) && number >= 0))
      refuse(`${name} must be a number from 0`);
  const deliverAtMs = delayMs === undefined ? given.deliverAtMs : Math.ceil(Date.now() + delayMs);
  const asked = { headers: headers && pairsOf(headers), priority, ttlMs, deliverAtMs };
  const options = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return { id, topic, key, value, options };
}

function pairsOf(
  headers: NonNullable<OutboxMessageOptions['headers']>,
): readonly (readonly [string, string])[] {
  const pairs = [
    ...(Symbol.iterator in headers
      ? (headers as Iterable<readonly [string, string]>)
      : Object.entries(headers)),
  ];
  for (const [name, value] of pairs)
    if (typeof name !== 'string' || typeof value !== 'string') refuse(`header "${name}" must have a text`);
  return pairs;
}

function refuse(problem: string): never {
  throw new OutboxError('option-invalid', `publish() cannot be called so: ${problem}.`);
}

export function rowOf(columns: SqlRow): OutboxRow {
  const { seq, id, topic, message_key: key, value, options, attempts } = columns;
  return {
    seq: Number(seq),
    id: textOf(id),
    topic: textOf(topic),
    key: key === null || key === undefined ? null : textOf(key),
    value: value as Uint8Array,
    options: JSON.parse(textOf(options)) as StoredOptions,
    attempts: Number(attempts),
  };
}

/** A text column. MySQL has bytes for those that are compared byte by byte. */
export function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}
