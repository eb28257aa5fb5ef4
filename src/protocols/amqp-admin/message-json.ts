import type { Properties } from '../../wire/amqp/index.ts';
import { badRequest } from './errors.ts';
import { jsonOfTable, tableOfJson } from './field-json.ts';
import { objectOf, wholeNumberOf, type Json, type JsonObject } from './request.ts';

/** The names of the properties of a message in JSON. */
const names = {
  contentType: 'content_type',
  contentEncoding: 'content_encoding',
  headers: 'headers',
  deliveryMode: 'delivery_mode',
  priority: 'priority',
  correlationId: 'correlation_id',
  replyTo: 'reply_to',
  expiration: 'expiration',
  messageId: 'message_id',
  timestamp: 'timestamp',
  type: 'type',
  userId: 'user_id',
  appId: 'app_id',
  clusterId: 'cluster_id',
} as const satisfies { readonly [name in keyof Properties]-?: string };
const entries = Object.entries(names) as [keyof Properties, string][];

/** The properties of a message as JSON; without any, an empty list, as in RabbitMQ. */
export function jsonOfProperties(properties: Properties): Json {
  const object: { [name: string]: Json } = {};
  for (const [name, shown] of entries) {
    const value = properties[name];
    if (value === undefined) continue;
    object[shown] = typeof value === 'object' ? jsonOfTable(value) : value;
  }
  return Object.keys(object).length === 0 ? [] : object;
}

/** The properties that JSON says. Throws bad_request for one of the wrong type. */
export function propertiesOfJson(object: JsonObject): Properties {
  const properties: { -readonly [name in keyof Properties]?: unknown } = {};
  for (const [name, shown] of entries) {
    if (object[shown] === undefined) continue;
    if (name === 'headers') properties.headers = tableOfJson(objectOf(object, shown));
    else if (name === 'deliveryMode' || name === 'priority') properties[name] = octetOf(object, shown);
    else if (name === 'timestamp') properties.timestamp = secondsOf(object, shown);
    else properties[name] = shortTextOf(object, shown);
  }
  return properties as Properties;
}

function octetOf(object: JsonObject, name: string): number {
  const number = wholeNumberOf(object, name) ?? 0;
  if (number < 0 || number > 255) throw badRequest(`${name} is not a number from 0 to 255`);
  return number;
}

function secondsOf(object: JsonObject, name: string): number {
  const number = wholeNumberOf(object, name) ?? 0;
  if (number < 0) throw badRequest(`${name} is not a time in seconds`);
  return number;
}

function shortTextOf(object: JsonObject, name: string): string {
  const value = object[name];
  // Some clients send numbers, as for the expiration.
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && Buffer.byteLength(text) <= 255) return text;
  throw badRequest(`${name} is not a text of at most 255 bytes`);
}

/** The body of a message as JSON: text if it is UTF-8, unless base64 is wanted. */
export function payloadJson(
  bytes: Buffer,
  encoding: 'auto' | 'base64',
): { readonly payload: string; readonly payload_encoding: 'string' | 'base64' } {
  const text = bytes.toString('utf8');
  if (encoding === 'auto' && Buffer.from(text, 'utf8').equals(bytes))
    return { payload: text, payload_encoding: 'string' };
  return { payload: bytes.toString('base64'), payload_encoding: 'base64' };
}

/** The body that JSON says. Throws bad_request for another encoding, or for what is no base64. */
export function payloadOf(payload: Json | undefined, encoding: Json | undefined): Buffer {
  if (typeof payload !== 'string') throw badRequest('payload_not_string');
  if (encoding === 'string') return Buffer.from(payload, 'utf8');
  if (encoding !== 'base64') throw badRequest(['unsupported_encoding', encoding]);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(payload) || payload.length % 4 !== 0)
    throw badRequest(['not_base64', payload.slice(0, 100)]);
  return Buffer.from(payload, 'base64');
}
