import {
  Decimal,
  isTable,
  tableDepthMax,
  Timestamp,
  type FieldTable,
  type FieldValue,
} from '../../wire/amqp/index.ts';
import { badRequest } from './errors.ts';
import type { Json, JsonObject } from './request.ts';

/** A field table as JSON. Bytes become base64, times seconds, integers beyond 2^53 texts. */
export function jsonOfTable(table: FieldTable): JsonObject {
  return Object.fromEntries(Array.from(table, ([name, value]) => [name, jsonOfField(value)]));
}

function jsonOfField(value: FieldValue): Json {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Timestamp) return Number(value.seconds);
  if (value instanceof Decimal) return value.value / 10 ** value.scale;
  if (Array.isArray(value)) return (value as readonly FieldValue[]).map(jsonOfField);
  if (value !== null && typeof value === 'object' && isTable(value)) return jsonOfTable(value);
  return value as Json;
}

/** JSON as a field table. Throws bad_request for one that is too deep or has a name that is too long. */
export function tableOfJson(object: JsonObject, depth = 0): FieldTable {
  checkDepth(depth);
  const table = new Map<string, FieldValue>();
  for (const [name, value] of Object.entries(object)) {
    if (Buffer.byteLength(name) > 255) throw badRequest('the name of an argument has at most 255 bytes');
    table.set(name, fieldOfJson(value, depth));
  }
  return table;
}

function fieldOfJson(value: Json, depth: number): FieldValue {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) return tableOfJson(value as JsonObject, depth + 1);
  checkDepth(depth + 1);
  return (value as readonly Json[]).map((entry) => fieldOfJson(entry, depth + 1));
}

function checkDepth(depth: number): void {
  // The tables of the protocol are no deeper.
  if (depth >= tableDepthMax) throw badRequest(`arguments have at most ${tableDepthMax} levels`);
}
