import { DeadLetterHeader, ScheduleHeader, type Header, type Message } from '../../src/broker/index.ts';
import type { PlannedMessage } from './script.ts';

/** A stored message as a client saw it: which one it is, and whether it is unchanged. */
export interface Sighting {
  readonly partition: number;
  readonly offset: number;
  /** -1 when the content names no message. */
  readonly id: number;
  readonly key: string | null;
  readonly timestampMs: number;
  /** How it differs from the published message. */
  readonly altered?: string;
  /** Where it came from, when it is a dead letter. */
  readonly letter?: Letter;
  /** The time of the run, when a schedule published it. */
  readonly runMs?: number;
}

export interface Letter {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly offset: number;
  readonly cause: string;
  readonly deliveries: number;
}

/** A record as any client reads it. */
export interface ReadRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/**
 * The content of a message follows from its plan, so that every reader can tell whether a byte of it is
 * wrong.
 */
export function contentOf({
  id: ownId,
  key,
  bytes,
  isBare = false,
  copyOf,
}: PlannedMessage): Message & { readonly value: Buffer } {
  const id = copyOf ?? ownId;
  const name = `m${id} `;
  const value = Buffer.alloc(Math.max(name.length, bytes), alphabet[id % alphabet.length]);
  value.write(name, 'latin1');
  if (isBare) return { key, headers: [], value };
  const headers: Header[] = id % 3 === 0 ? [{ name: 'Simulated', value: Buffer.from(name) }] : [];
  if (id % 6 === 0) headers.push({ name: 'Simulated', value: null });
  return { key, headers, value };
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

/** Reads a record of a topic as a client would, and compares it with the plan of its name. */
export function sight(
  record: ReadRecord,
  partition: number,
  plans: ReadonlyMap<number, PlannedMessage>,
  topic: string = '',
): Sighting {
  const value = record.value ?? Buffer.alloc(0);
  const letter = letterOf(record.headers);
  const name = idOf(value);
  const id = plans.get(name)?.copies?.[firstTopicOf(record.headers) ?? topic] ?? name;
  const seen = {
    partition,
    offset: record.offset,
    id,
    key: text(record.key),
    timestampMs: record.timestampMs,
  };
  const plan = plans.get(id);
  if (!plan) return { ...seen, id: -1 };
  const altered = differences(record, contentOf(plan), letter !== undefined);
  const run = text(record.headers.find(({ name }) => name === ScheduleHeader.time)?.value ?? null);
  const runMs = run === null ? {} : { runMs: Date.parse(run) };
  return { ...seen, ...runMs, ...(letter ? { letter } : {}), ...(altered === undefined ? {} : { altered }) };
}

/** Where a dead letter was published, though it is one of another dead letter. */
function firstTopicOf(headers: readonly Header[]): string | undefined {
  return text(headers.find(({ name }) => name === DeadLetterHeader.topic)?.value ?? null) ?? undefined;
}

/** The number after the `m` at the front; -1 when there is none. */
export function idOf(value: Uint8Array): number {
  if (value[0] !== 0x6d) return -1;
  let id = 0;
  for (let at = 1; at < value.length; at++) {
    const digit = value[at]! - 0x30;
    if (value[at] === 0x20 && at > 1) return id;
    if (digit < 0 || digit > 9) return -1;
    id = id * 10 + digit;
  }
  return -1;
}

function differences(
  record: ReadRecord,
  planned: Message & { value: Buffer },
  isLetter: boolean,
): string | undefined {
  if (record.value === null || Buffer.compare(record.value, planned.value) !== 0) return 'value';
  const { headers } = record;
  const own = headers.filter(
    ({ name }) =>
      !name.startsWith('Nats-') &&
      !name.startsWith('amqp-') &&
      !name.startsWith('Pillarbox-Schedule') &&
      !(isLetter && isLetterHeader(name)),
  );
  const wanted = planned.headers!;
  if (own.length !== wanted.length || own.some((header, at) => !sameHeader(header, wanted[at]!)))
    return 'headers';
  const key = isLetter
    ? (headers.find(({ name }) => name === DeadLetterHeader.key)?.value ?? null)
    : record.key;
  return text(key) === planned.key ? undefined : 'key';
}

function sameHeader(one: Header, other: Header): boolean {
  return one.name === other.name && text(one.value) === text(other.value);
}

const letterHeaders: ReadonlySet<string> = new Set(Object.values(DeadLetterHeader));

function isLetterHeader(name: string): boolean {
  return letterHeaders.has(name);
}

function letterOf(headers: readonly Header[]): Letter | undefined {
  if (!headers.some(({ name }) => name === DeadLetterHeader.topic)) return undefined;
  const read = (wanted: string): string =>
    text(headers.findLast(({ name }) => name === wanted)?.value ?? null) ?? '';
  return {
    topic: read(DeadLetterHeader.topic),
    group: read(DeadLetterHeader.group),
    partition: Number(read(DeadLetterHeader.partition)),
    offset: Number(read(DeadLetterHeader.offset)),
    cause: read(DeadLetterHeader.cause),
    deliveries: Number(read(DeadLetterHeader.deliveries)),
  };
}

function text(bytes: Uint8Array | string | null): string | null {
  return bytes === null || typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8');
}
