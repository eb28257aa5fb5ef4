import { noHeaders, type Header, type Record } from '../../broker/index.ts';
import {
  encodeProperties,
  isTable,
  readProperties,
  Timestamp,
  Decimal,
  type FieldTable,
  type FieldValue,
  type Properties,
  type PropertyName,
} from '../../wire/amqp/index.ts';

// How a message of AMQP is stored, and what AMQP sees of the messages of other protocols.
//
// `amqp-exchange` has the exchange, `amqp-properties` flags and properties as they came: consumers of AMQP
// get exactly these bytes. For other protocols, each property stands also in a header of its own, as text,
// and each entry of the headers table under its own name.

/** The header that has the exchange of a message; absent for the default exchange. */
const exchangeHeader = 'amqp-exchange';
/** The header that has flags and properties as on the wire. */
const propertiesHeader = 'amqp-properties';

/** The headers of the properties, for other protocols to read and to set. */
const propertyHeaders = {
  contentType: 'amqp-content-type',
  contentEncoding: 'amqp-content-encoding',
  correlationId: 'amqp-correlation-id',
  replyTo: 'amqp-reply-to',
  expiration: 'amqp-expiration',
  messageId: 'amqp-message-id',
  type: 'amqp-type',
  userId: 'amqp-user-id',
  appId: 'amqp-app-id',
} as const satisfies { readonly [name in PropertyName]?: string };
const textProperties = Object.entries(propertyHeaders) as [keyof typeof propertyHeaders, string][];
const propertyOfHeader: ReadonlyMap<string, keyof typeof propertyHeaders> = new Map(
  textProperties.map(([name, header]) => [header, name]),
);

/** Flags and properties of a message that is persistent and has nothing else. */
const persistent = encodeProperties({ deliveryMode: 2 });

/**
 * The headers that are stored for the properties of a message. `properties` are kept, not copied. Throws a
 * WireError if they are no properties.
 */
export function storedHeaders(exchange: string, properties: Buffer): readonly Header[] {
  const isPlain = properties.equals(persistent);
  if (isPlain && exchange === '') return noHeaders;
  const headers: Header[] = [];
  if (exchange !== '') headers.push({ name: exchangeHeader, value: Buffer.from(exchange, 'utf8') });
  if (isPlain) return headers;
  headers.push({ name: propertiesHeader, value: properties });
  const decoded = readProperties(properties);
  for (const [name, header] of textProperties) {
    const value = decoded[name];
    if (value !== undefined) headers.push({ name: header, value: Buffer.from(value, 'utf8') });
  }
  for (const [name, value] of decoded.headers ?? []) headers.push({ name, value: bytesOf(value) });
  return headers;
}

/** A value of a table as other protocols see it: texts and bytes as they are, all else as JSON. */
function bytesOf(value: FieldValue): Uint8Array | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(plainOf(value)), 'utf8');
}

function plainOf(value: FieldValue): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Timestamp) return Number(value.seconds);
  if (value instanceof Decimal) return value.value / 10 ** value.scale;
  if (Array.isArray(value)) return value.map(plainOf);
  return value !== null && typeof value === 'object' && isTable(value)
    ? Object.fromEntries(Array.from(value, ([name, one]) => [name, plainOf(one)]))
    : value;
}

/** The parts of a stored message as an AMQP consumer gets them. */
export interface DeliveredParts {
  readonly exchange: Uint8Array;
  readonly properties: Uint8Array;
}

const noBytes = new Uint8Array(0);
const plainParts: DeliveredParts = { exchange: noBytes, properties: persistent };

/** `isDurable`: the queue keeps messages on disk. */
export function deliveredParts(record: Record, isDurable: boolean): DeliveredParts {
  if (!record.hasHeaders) return plainParts;
  const [first, second] = record.headers;
  const exchange = first?.name === exchangeHeader ? (first.value ?? noBytes) : noBytes;
  const kept = first?.name === propertiesHeader ? first : second;
  if (kept?.name === propertiesHeader && isWhole(kept.value)) return { exchange, properties: kept.value };
  if (record.headers.length === 1 && first?.name === exchangeHeader)
    return { exchange, properties: persistent };
  return { exchange, properties: foreignProperties(record, isDurable) };
}

/** Other protocols may use the name of the header for anything. */
function isWhole(value: Uint8Array | null): value is Uint8Array {
  if (value === null) return false;
  if (lastWhole.equals(value)) return true;
  try {
    readProperties(value);
    lastWhole = Buffer.from(value);
    return true;
  } catch {
    return false;
  }
}

/** Properties that have been checked; those of the next message are mostly the same. */
let lastWhole = persistent;

/** The properties of a message that was not published by AMQP. */
function foreignProperties(record: Record, isDurable: boolean): Uint8Array {
  const texts: { -readonly [name in keyof typeof propertyHeaders]?: string } = {};
  const table = new Map<string, FieldValue>();
  for (const { name, value } of record.headers) {
    if (name === exchangeHeader || name === propertiesHeader) continue;
    const property = propertyOfHeader.get(name);
    const bytes = Buffer.from(value ?? noBytes);
    if (property !== undefined && bytes.length <= 255) texts[property] = bytes.toString('utf8');
    else if (Buffer.byteLength(name) <= 255) addTo(table, name, value === null ? null : valueOf(bytes));
  }
  const properties: Properties = {
    ...texts,
    ...(table.size > 0 && { headers: table }),
    deliveryMode: isDurable ? 2 : 1,
    timestamp: Math.max(0, Math.floor(record.timestampMs / 1000)),
  };
  return encodeProperties(properties);
}

/** A name that occurs more than once has an array. */
function addTo(table: Map<string, FieldValue>, name: string, value: FieldValue): void {
  const before = table.get(name);
  if (before === undefined) table.set(name, value);
  else table.set(name, Array.isArray(before) ? [...(before as FieldValue[]), value] : [before, value]);
}

/** Text if it is UTF-8, else bytes. */
function valueOf(bytes: Buffer): FieldValue {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : new Uint8Array(bytes);
}

/** The properties of a stored message of AMQP; undefined if another protocol has published it. */
export function propertiesOfStored(stored: readonly Header[]): Properties | undefined {
  const value = stored.find(({ name }) => name === propertiesHeader)?.value ?? null;
  return isWhole(value) ? readProperties(value) : undefined;
}

/** The headers table of a stored message. */
export function headersOfStored(stored: readonly Header[]): FieldTable {
  const properties = propertiesOfStored(stored);
  if (properties) return properties.headers ?? new Map();
  return new Map(stored.map(({ name, value }) => [name, value && valueOf(Buffer.from(value))]));
}
