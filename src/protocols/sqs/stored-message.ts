import { isUtf8 } from 'node:buffer';
import { DeadLetterHeader, type Header } from '../../broker/index.ts';
import { isMessageText } from '../../wire/aws/index.ts';
import { readOrigin, writeOrigin, type Origin } from './message-id.ts';

// How a message of SQS is stored, and what SQS sees of the messages of other protocols.
//
// The body is the value, the group is the key. Each message attribute is a header with its value, for all
// protocols to read. In front of these, SQS has headers of its own; `sqs-origin` is the last of them, so that
// an attribute may have any name.

/** An attribute of a message, as SQS has it. */
export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
}

/** The headers that SQS keeps for itself, in front of the attributes. */
const ownHeaders = {
  /** The types of attributes that are no plain String, as JSON: `{"price":"Number"}`. */
  types: 'sqs-attribute-types',
  dedupeId: 'sqs-deduplication-id',
  traceHeader: 'sqs-trace-header',
  origin: 'sqs-origin',
} as const;

/** The parts of a message that are stored as headers. */
export interface HeaderParts {
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
  readonly dedupeId: string | undefined;
  /** The system attribute AWSTraceHeader. */
  readonly traceHeader: string | undefined;
}

/** The headers in the order in which they are stored. */
export function storedHeaders({ attributes, dedupeId, traceHeader }: HeaderParts, origin: Origin): Header[] {
  const headers: Header[] = [];
  const add = (name: string, text: string): void => {
    headers.push({ name, value: Buffer.from(text, 'utf8') });
  };
  const types = Array.from(attributes, ([name, { DataType }]) => [name, DataType] as const).filter(
    ([, type]) => type !== 'String',
  );
  if (types.length > 0) add(ownHeaders.types, JSON.stringify(Object.fromEntries(types)));
  if (dedupeId !== undefined) add(ownHeaders.dedupeId, dedupeId);
  if (traceHeader !== undefined) add(ownHeaders.traceHeader, traceHeader);
  add(ownHeaders.origin, writeOrigin(origin));
  for (const [name, { StringValue, BinaryValue }] of attributes)
    headers.push({ name, value: BinaryValue ?? Buffer.from(StringValue ?? '', 'utf8') });
  return headers;
}

/** What the headers of a stored message say. */
export interface ReadHeaders {
  readonly dedupeId: string | undefined;
  readonly traceHeader: string | undefined;
  /** Undefined if another protocol has published the message. */
  readonly origin: Origin | undefined;
  /** Of a dead letter: where it came from. */
  readonly letter: LetterOrigin | undefined;
  /** The headers of attributes, and the types of those that are no plain String. */
  readonly attributes: readonly Header[];
  readonly types: ReadonlyMap<string, string>;
}

/** The message that a dead letter was. */
export interface LetterOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Uint8Array | null;
}

const noTypes: ReadonlyMap<string, string> = new Map();

export function readHeaders(headers: readonly Header[]): ReadHeaders {
  const own: { [name: string]: string } = {};
  let at = 0;
  for (; at < headers.length; at++) {
    const { name, value } = headers[at]!;
    if (!ownNames.has(name) || own[name] !== undefined) break;
    own[name] = textOf(value);
    if (name === ownHeaders.origin) {
      at++;
      break;
    }
  }
  const origin = own[ownHeaders.origin] === undefined ? undefined : readOrigin(own[ownHeaders.origin]!);
  const letter = letterOf(headers, at);
  const types = own[ownHeaders.types];
  let attributes = at === 0 ? headers : headers.slice(at);
  // SQS names the queue of origin in an attribute of the system, and nothing else of a dead letter.
  if (letter) attributes = withoutLetter(attributes);
  return {
    dedupeId: own[ownHeaders.dedupeId],
    traceHeader: own[ownHeaders.traceHeader],
    origin,
    letter,
    attributes,
    types: types === undefined ? noTypes : readTypes(types),
  };
}

const ownNames: ReadonlySet<string> = new Set(Object.values(ownHeaders));
const letterPrefix = 'Pillarbox-Dead-Letter-';

/** The headers without those that a message got as a dead letter. */
export function withoutLetter(headers: readonly Header[]): readonly Header[] {
  return headers.filter(({ name }) => !name.startsWith(letterPrefix));
}

function letterOf(headers: readonly Header[], from: number): LetterOrigin | undefined {
  const at = headers.findLastIndex(({ name }, index) => index >= from && name === DeadLetterHeader.topic);
  if (at < 0) return undefined;
  const last = (name: string): Uint8Array | null =>
    headers.findLast((header, index) => index >= at && header.name === name)?.value ?? null;
  return {
    topic: textOf(headers[at]!.value),
    partition: Number(textOf(last(DeadLetterHeader.partition))),
    offset: Number(textOf(last(DeadLetterHeader.offset))),
    key: last(DeadLetterHeader.key),
  };
}

function readTypes(text: string): ReadonlyMap<string, string> {
  try {
    const types: unknown = JSON.parse(text);
    if (typeof types !== 'object' || types === null) return noTypes;
    return new Map(
      Object.entries(types).filter((type): type is [string, string] => typeof type[1] === 'string'),
    );
  } catch {
    return noTypes; // other protocols may use the name of the header for anything
  }
}

/** The header that AMQP keeps for its own clients: bytes that mean nothing to others. */
const amqpProperties = 'amqp-properties';

/**
 * The attributes of a message, of those whose names are wanted. A header that comes twice is an attribute
 * once, with the last value. The values are copies.
 */
export function attributesOf(
  { attributes, types }: ReadHeaders,
  isWanted: (name: string) => boolean,
): Map<string, MessageAttribute> {
  const result = new Map<string, MessageAttribute>();
  for (const { name, value } of attributes) {
    if (name === '' || name === amqpProperties || !isMessageText(name) || !isWanted(name)) continue;
    result.set(name, attributeOf(value ?? noBytes, types.get(name)));
  }
  return result;
}

const noBytes = new Uint8Array(0);

function attributeOf(value: Uint8Array, type: string | undefined): MessageAttribute {
  const text = type?.startsWith('Binary') === true ? undefined : messageText(value);
  if (text !== undefined) return { DataType: type ?? 'String', StringValue: text };
  return { DataType: type?.startsWith('Binary') === true ? type : 'Binary', BinaryValue: Buffer.from(value) };
}

/** The bytes as text; undefined if they are no text that SQS allows. */
export function messageText(value: Uint8Array): string | undefined {
  if (!isUtf8(value)) return undefined;
  const text = textOf(value);
  return isMessageText(text) ? text : undefined;
}

function textOf(value: Uint8Array | null): string {
  if (value === null) return '';
  return Buffer.prototype.utf8Slice.call(value, 0, value.length);
}
