import { randomFillSync } from 'node:crypto';
import type { TraceContext } from './trace-context.ts';

// Spans as bytes: ExportTraceServiceRequest of opentelemetry-proto 1.x.
//
//   request       = resourceSpans:1 { resource:1 { attributes:1* } scopeSpans:2 { scope:1 { name:1 version:2
// } spans:2* } }   span          = traceId:1 spanId:2 traceState:3 parentSpanId:4 name:5 kind:6 start:7 end:8
// attributes:9* status:15   attribute     = key:1 value:2 { string:1 | int:3 }        status = code:3
//
// The bytes are written by hand, because a span must cost little: with the SDK of OpenTelemetry one costs
// some ten times as much as a message.

/** SpanKind of opentelemetry-proto. */
export const SpanKind = { client: 3, producer: 4, consumer: 5 } as const;

export type AttributeName =
  | 'messaging.system'
  | 'messaging.operation.name'
  | 'messaging.operation.type'
  | 'messaging.destination.name'
  | 'messaging.destination.partition.id'
  | 'messaging.message.id'
  | 'messaging.message.body.size'
  | 'messaging.batch.message_count'
  | 'messaging.consumer.group.name'
  | 'messaging.client.id'
  | 'network.protocol.name'
  | 'pillarbox.deliveries'
  | 'error.type';

export type Attributes = { readonly [N in AttributeName]?: string | number | undefined };

/** What spans of the same name and topic have in common, as bytes. */
export type SpanForm = Buffer;

/** What differs from span to span. Times are milliseconds since the epoch, with fractions. */
export interface Span {
  readonly form: SpanForm;
  readonly context: TraceContext;
  /** The id of the parent; undefined: the span begins its trace. */
  readonly parentId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** What went wrong, as `error.type`. */
  readonly error?: string | undefined;
}

/** Longer texts are cut. */
const textMax = 1000;
/** A span is not larger than this: its form, and all that differs. */
const spanBytesMax = 16 * 1024;

/** Spans, one after the other, as the body of a request. */
export class SpanBuffer {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  #count = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The number of spans. */
  get count(): number {
    return this.#count;
  }

  get length(): number {
    return this.#length;
  }

  /** False: there is no room. */
  add({ form, context, parentId, startMs, endMs, attributes, error }: Span): boolean {
    if (!this.#makeRoom()) return false;
    const bytes = this.#bytes;
    bytes[this.#length] = tagOf(2, 2);
    const start = this.#length + 4;
    let at = start;
    at = idAt(bytes, at, 1, context.traceId, 16);
    at = idAt(bytes, at, 2, context.spanId, 8);
    if (context.state !== undefined) at = textAt(bytes, at, tagOf(3, 2), context.state);
    if (parentId !== undefined) at = idAt(bytes, at, 4, parentId, 8);
    at += form.copy(bytes, at);
    at = timeAt(bytes, at, 7, startMs);
    at = timeAt(bytes, at, 8, endMs);
    for (const name in attributes) {
      const value = attributes[name as AttributeName];
      if (value !== undefined) at = attributeAt(bytes, at, 9, name, value);
    }
    if (error !== undefined) {
      at = attributeAt(bytes, at, 9, 'error.type', error);
      at += statusError.copy(bytes, at);
    }
    lengthAt(bytes, this.#length + 1, at - start);
    this.#length = at;
    this.#count++;
    return true;
  }

  /** Removes all spans and returns them as a request: `resource` and `scope` are of all of them. */
  take(resource: Buffer, scope: Buffer): Buffer {
    const spans = Buffer.concat([message(1, scope), this.#bytes.subarray(0, this.#length)]);
    this.#length = this.#count = 0;
    return message(1, Buffer.concat([message(1, resource), message(2, spans)]));
  }

  #makeRoom(): boolean {
    const needed = this.#length + spanBytesMax;
    if (needed <= this.#bytes.length) return true;
    if (needed > this.#bytesMax) return false;
    const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return true;
  }
}

/** Name, kind and the attributes that are always the same. */
export function spanForm(
  name: string,
  kind: (typeof SpanKind)[keyof typeof SpanKind],
  attributes: Attributes,
): SpanForm {
  const bytes = Buffer.alloc(spanBytesMax);
  let at = textAt(bytes, 0, tagOf(5, 2), name);
  bytes[at++] = tagOf(6, 0);
  bytes[at++] = kind;
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) at = attributeAt(bytes, at, 9, key, value);
  return Buffer.from(bytes.subarray(0, at));
}

/** A resource. */
export function resourceBytes(attributes: { readonly [name: string]: string }): Buffer {
  const pairs = Object.entries(attributes).map(([name, text]) => {
    const bytes = Buffer.alloc(spanBytesMax);
    return bytes.subarray(0, attributeAt(bytes, 0, 1, name.slice(0, textMax), text));
  });
  return Buffer.concat(pairs);
}

/** The program that makes the spans. */
export function scopeBytes(name: string, version: string): Buffer {
  const bytes = Buffer.alloc(spanBytesMax);
  return bytes.subarray(0, textAt(bytes, textAt(bytes, 0, tagOf(1, 2), name), tagOf(2, 2), version));
}

const randomBytes = Buffer.alloc(4096);
let randomAt = randomBytes.length;

/** An id of a trace (16 bytes) or a span (8), in hexadecimal digits. */
export function newId(size: 8 | 16): string {
  if (randomAt + size > randomBytes.length) {
    randomFillSync(randomBytes);
    randomAt = 0;
  }
  return randomBytes.toString('hex', randomAt, (randomAt += size));
}

function tagOf(field: number, type: 0 | 1 | 2): number {
  return (field << 3) | type;
}

/** A field that is a message. */
function message(field: number, content: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head[0] = tagOf(field, 2);
  let at = 1;
  let rest = content.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) head[at++] = (rest & 0x7f) | 0x80;
  head[at++] = rest;
  return Buffer.concat([head.subarray(0, at), content]);
}

/** A length in three bytes, whatever it is, so that it can be written last: up to 2 MiB. */
function lengthAt(bytes: Buffer, at: number, length: number): void {
  bytes[at] = (length & 0x7f) | 0x80;
  bytes[at + 1] = ((length >>> 7) & 0x7f) | 0x80;
  bytes[at + 2] = length >>> 14;
}

function idAt(bytes: Buffer, at: number, field: number, hex: string, size: 8 | 16): number {
  bytes[at] = tagOf(field, 2);
  bytes[at + 1] = size;
  bytes.write(hex, at + 2, size, 'hex');
  return at + 2 + size;
}

function textAt(bytes: Buffer, at: number, tag: number, text: string): number {
  bytes[at] = tag;
  const end = at + 4 + bytes.write(text.length > textMax ? text.slice(0, textMax) : text, at + 4, 'utf8');
  lengthAt(bytes, at + 1, end - at - 4);
  return end;
}

/** `fixed64`, nanoseconds, little-endian. They do not fit into a number, so they are made in halves. */
function timeAt(bytes: Buffer, at: number, field: number, ms: number): number {
  bytes[at] = tagOf(field, 1);
  const wholeMs = Math.floor(ms);
  const high = Math.floor(wholeMs / 0x1_0000) * 1e6;
  const low = (high % 0x1_0000) * 0x1_0000 + (wholeMs % 0x1_0000) * 1e6 + Math.floor((ms - wholeMs) * 1e6);
  bytes.writeUInt32LE(low % 0x1_0000_0000, at + 1);
  bytes.writeUInt32LE(Math.floor(high / 0x1_0000) + Math.floor(low / 0x1_0000_0000), at + 5);
  return at + 9;
}

const keys = new Map<string, Buffer>();

/** `key:1`, remembered for the names that spans have. */
function keyOf(name: string): Buffer {
  let key = keys.get(name);
  if (!key) {
    key = message(1, Buffer.from(name, 'utf8'));
    if (keys.size < 100) keys.set(name, key);
  }
  return key;
}

function attributeAt(bytes: Buffer, at: number, field: number, name: string, value: string | number): number {
  const start = at + 4;
  bytes[at] = tagOf(field, 2);
  let end = start + keyOf(name).copy(bytes, start);
  bytes[end] = tagOf(2, 2);
  const valueStart = end + 4;
  if (typeof value === 'string') end = textAt(bytes, valueStart, tagOf(1, 2), value);
  else {
    bytes[valueStart] = tagOf(3, 0);
    end = valueStart + 1;
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
    bytes[end++] = rest;
  }
  lengthAt(bytes, valueStart - 3, end - valueStart);
  lengthAt(bytes, at + 1, end - start);
  return end;
}

/** `status:15 { code:3 = 2 }` */
const statusError = Buffer.from([tagOf(15, 2), 2, tagOf(3, 0), 2]);
