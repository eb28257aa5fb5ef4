import { nestsDeeper } from '../../util/index.ts';
import type { TurnTaker } from '../connections/index.ts';
import type { HttpRequest, RouteParams } from '../http/index.ts';
import type { Caller } from './caller.ts';
import { badRequest } from './errors.ts';
import { bodyDepthMax } from './limits.ts';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** A request of the management API after login and routing. */
export interface ApiRequest {
  readonly caller: Caller;
  /** The `:names` of the path, decoded. */
  readonly params: RouteParams;
  readonly query: URLSearchParams;
  /** The header `X-Reason`: why an operator does that. */
  readonly reason: string | undefined;
  /** Takes turns for the work of the request. */
  readonly turns: TurnTaker;
  /** The body: an object, empty if there is no body. Rejects with an ApiError. */
  readonly body: () => Promise<JsonObject>;
}

/** Reads a body as RabbitMQ does, whatever its content type. */
export async function readBody(request: HttpRequest): Promise<JsonObject> {
  const bytes = await request.bytes();
  if (nestsDeeper(bytes, bodyDepthMax)) throw badRequest(`nested deeper than ${bodyDepthMax} levels`);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (text === '' || text === 'null' || text === 'undefined') return {};
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    throw badRequest('not_json');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  if (typeof value !== 'string') throw badRequest('not_json');
  throw badRequest(
    'invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?',
  );
}

/** Throws bad_request if the body lacks one of these. */
export function checkPresent(body: JsonObject, names: readonly string[]): void {
  const missing = names.filter((name) => body[name] === undefined);
  if (missing.length === 0) return;
  throw badRequest(`[${missing.map((name) => `{key_missing,${name}}`).join(',')}]`);
}

/** A text of the body. Throws bad_request for another value. */
export function textOf(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`${name}_not_string`);
}

/** A text of at most 255 bytes, as names and routing keys of AMQP are. */
export function shortTextOf(body: JsonObject, name: string): string | undefined {
  const text = textOf(body, name);
  if (text !== undefined) checkShort(name, text);
  return text;
}

/** Throws bad_request for a text of more than 255 bytes. */
export function checkShort(name: string, text: string): void {
  if (Buffer.byteLength(text) > 255) throw badRequest(`${name} has more than 255 bytes`);
}

/** A flag of the body, or a text that says one, as rabbitmqadmin sends it. */
export function flagOf(body: JsonObject, name: string, otherwise: boolean): boolean {
  const value = body[name];
  if (value === undefined) return otherwise;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw badRequest(['not_boolean', value]);
}

/** A whole number of the body, or a text that says one. */
export function wholeNumberOf(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw badRequest(['not_integer', value]);
}

/** An object of the body; empty if there is none. Some clients send an empty array. */
export function objectOf(body: JsonObject, name: string): JsonObject {
  const value = body[name];
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonObject;
  throw badRequest(`${name}_not_object`);
}

/** A list of objects of the body; empty if there is none. */
export function objectsOf(body: JsonObject, name: string): readonly JsonObject[] {
  const value = body[name] ?? [];
  if (!Array.isArray(value)) throw badRequest(`${name}_not_list`);
  return (value as readonly Json[]).map((entry) => {
    if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as JsonObject;
    throw badRequest(`${name}_not_objects`);
  });
}
