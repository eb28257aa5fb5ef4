import { nestsDeeper } from '../../util/index.ts';
import { AwsError } from './error.ts';
import { isCommon } from './error-kinds.ts';
import { limits } from './limits.ts';
import { checkRequired, isStructure, scalarOf, type Defaults } from './members.ts';
import { isSqsAction, type Operation, type SqsAction } from './operations/index.ts';
import { structures } from './operations/structures.ts';
import type { WireReply } from './reply.ts';
import type { ElementName, Member, Members, Structure } from './shapes.ts';

// AWS JSON 1.0: a request is POST with `X-Amz-Target: AmazonSQS.SendMessage` and the input as JSON, an answer
// is the output as JSON.

const contentType = 'application/x-amz-json-1.0';
const targetPrefix = 'AmazonSQS.';

/** The operation that the header `X-Amz-Target` names. Throws an AwsError if there is none. */
export function readTarget(target: string | undefined): SqsAction {
  if (target === undefined) throw new AwsError('InvalidAction', 'The request has no X-Amz-Target.');
  const name = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : '';
  if (!isSqsAction(name)) throw new AwsError('InvalidAction');
  return name;
}

/**
 * Reads the input of an operation: members with the right types, required ones present, unknown ones left
 * out. `defaults` has members that the request may have elsewhere, such as the queue in its path. Throws an
 * AwsError.
 */
export function readJson<I extends Members>(
  operation: Operation<I>,
  body: Uint8Array,
  defaults: Defaults = {},
): Structure<I> {
  const input = readStructure(operation.input, parse(body));
  for (const name in defaults) input[name] ??= defaults[name];
  checkRequired(operation, input);
  return input as Structure<I>;
}

function parse(body: Uint8Array): object {
  if (body.length === 0) return {};
  if (nestsDeeper(body, limits.jsonDepthMax)) throw malformed('Structure is nested too deeply.');
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch (cause) {
    throw new AwsError('MalformedInput', 'The request body is not valid JSON.', { cause });
  }
  if (!isObject(value)) throw malformed('Expected a structure at the top of the request body.');
  return value;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function readStructure(members: Members, source: object): { [name: string]: unknown } {
  const result: { [name: string]: unknown } = {};
  for (const name in members) {
    const value = Object.hasOwn(source, name) ? (source as { [name: string]: unknown })[name] : undefined;
    // Null is as absent.
    if (value !== undefined && value !== null) result[name] = read(members[name]!, value);
  }
  return result;
}

function read(member: Member, value: unknown): unknown {
  if (typeof member === 'string') return readElement(scalarOf(member), value);
  if ('list' in member) {
    if (!Array.isArray(value)) throw malformed(unexpected(value, 'a List'));
    return value.map((one: unknown) => readElement(member.list, one));
  }
  if (!isObject(value)) throw malformed(unexpected(value, 'a Map'));
  return new Map(Object.entries(value).map(([key, one]) => [key, readElement(member.map, one as unknown)]));
}

function readElement(element: ElementName, value: unknown): unknown {
  if (isStructure(element)) {
    if (!isObject(value)) throw malformed(unexpected(value, 'a Structure'));
    return readStructure(structures[element], value);
  }
  switch (element) {
    case 'string':
      if (typeof value === 'string') return value;
      throw malformed(unexpected(value, 'a String'));
    case 'integer':
      if (typeof value === 'number' && value === (value | 0)) return value;
      throw malformed(unexpected(value, 'an Integer'));
    case 'long':
      if (Number.isSafeInteger(value)) return value;
      throw malformed(unexpected(value, 'a Long'));
    case 'boolean':
      if (typeof value === 'boolean') return value;
      throw malformed(unexpected(value, 'a Boolean'));
    default:
      if (typeof value === 'string') return readBase64(value);
      throw malformed(unexpected(value, 'a Blob'));
  }
}

/** Throws an AwsError for text that is not base64. */
export function readBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 === 1)
    throw malformed('only base-64-encoded strings are convertible to bytes');
  return Buffer.from(text, 'base64');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As SQS says it: "STRING_VALUE can not be converted to an Integer". */
function unexpected(value: unknown, wanted: string): string {
  if (Array.isArray(value)) return 'Start of list found where not expected';
  if (isObject(value)) return 'Start of structure or map found where not expected.';
  return `${tokenOf(value)} can not be converted to ${wanted}`;
}

function tokenOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  return value === null ? 'NULL_VALUE' : 'STRING_VALUE';
}

export function malformed(message: string): AwsError {
  return new AwsError('MalformedInput', message);
}

/** The output of an operation as JSON. What is empty is left out, as AWS does: no messages are `{}`. */
export function writeJson<O extends Members>(operation: Operation<Members, O>, output: Structure<O>): string {
  const { output: members } = operation;
  return JSON.stringify(writeStructure(members, output));
}

function writeStructure(members: Members, source: object): object {
  const result: { [name: string]: unknown } = {};
  for (const name in members) {
    const member = members[name]!;
    const value = (source as { [name: string]: unknown })[name];
    if (value === undefined) continue;
    if (typeof member === 'string') result[name] = writeElement(scalarOf(member), value);
    else if ('list' in member) {
      const list = value as readonly unknown[];
      if (list.length > 0) result[name] = list.map((one) => writeElement(member.list, one));
    } else {
      const map = value as ReadonlyMap<string, unknown>;
      if (map.size > 0)
        result[name] = Object.fromEntries(
          Array.from(map, ([key, one]) => [key, writeElement(member.map, one)]),
        );
    }
  }
  return result;
}

function writeElement(element: ElementName, value: unknown): unknown {
  if (isStructure(element)) return writeStructure(structures[element], value as object);
  if (element === 'blob') return bufferOf(value as Uint8Array).toString('base64');
  return value;
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The answer with the output of an operation. An operation without output has an empty body. */
export function jsonReply<O extends Members>(
  operation: Operation<Members, O>,
  output: Structure<O>,
  requestId: string,
): WireReply {
  const hasOutput = Object.keys(operation.output).length > 0;
  return {
    status: 200,
    headers: { 'content-type': contentType, 'x-amzn-requestid': requestId },
    body: hasOutput ? writeJson(operation, output) : '',
  };
}

/**
 * The answer with an error. Clients that came from Query read its code from `x-amzn-query-error`, and want
 * the status of Query if they send `x-amzn-query-mode: true`; others get 400 for every fault of theirs that
 * SQS itself knows. What the framework refuses, such as a signature, keeps its status.
 */
export function jsonRefusal(error: AwsError, requestId: string, isQueryMode: boolean): WireReply {
  const isClientFault = error.status > 400 && error.status < 500 && !isQueryMode && !isCommon(error.kind);
  return {
    status: isClientFault ? 400 : error.status,
    headers: {
      'content-type': contentType,
      'x-amzn-requestid': requestId,
      'x-amzn-query-error': `${error.code()};${error.fault}`,
    },
    body: JSON.stringify({ __type: error.type, message: error.message }),
  };
}
