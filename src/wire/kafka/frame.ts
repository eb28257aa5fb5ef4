import type { AnyApi, Api } from './api.ts';
import { apiByKey, type SomeApi } from './apis/index.ts';
import { apiVersionsApi } from './apis/api-versions.ts';
import { WireError } from './errors.ts';
import { Reader } from './reader.ts';
import { includes, type Draft, type Fields, type Message } from './schema.ts';
import type { Writer } from './writer.ts';

/*
 * request  => size:int32 header body        header v1 => apiKey:int16 apiVersion:int16 correlationId:int32 clientId:string?
 *                                           header v2 => header v1, tags; the client id is no compact string in it either
 * response => size:int32 header body        header v0 => correlationId:int32
 *                                           header v1 => header v0, tags
 * Flexible versions have the later headers. ApiVersions answers with response header v0 always, so that a client that does not
 * know which versions there are can read it (KIP-511).
 */

/** The head of a request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Of the client's choice; its response carries the same. */
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** A request whose head was read. */
export interface RequestFrame extends RequestHeader {
  /** Undefined: no such API here, or not in this version. The body cannot be read then. */
  readonly api: SomeApi | undefined;
  /** Stands at the body. */
  readonly body: Reader;
}

/**
 * Reads the head of a frame that a client sent. Its arrays may have `elementsMax` elements together. Throws a
 * WireError when the frame has no head.
 */
export function readRequest(frame: Buffer, elementsMax: number = Infinity): RequestFrame {
  const body = new Reader(frame);
  body.elementsLeft = elementsMax;
  const apiKey = body.int16();
  const apiVersion = body.int16();
  const correlationId = body.int32();
  const clientId = body.string();
  const known = apiByKey(apiKey);
  const api = known && includes(known.versions, apiVersion) ? known : undefined;
  if (api && includes(api.flexible, apiVersion)) body.skipTags();
  return { apiKey, apiVersion, correlationId, clientId, api, body };
}

/** Appends a response. When it throws, nothing of it was added. */
export function writeResponse<Q extends Fields, S extends Fields>(
  writer: Writer,
  api: Api<Q, S>,
  version: number,
  correlationId: number,
  response: Draft<S>,
): void {
  writer.beginFrame();
  try {
    writer.int32(correlationId);
    if (hasTaggedResponseHeader(api, version)) writer.uvarint(0);
    api.response.encode(writer, version, response);
  } catch (error) {
    writer.abandonFrame();
    throw error;
  }
  writer.endFrame();
}

/** Appends a request, for whoever acts as a client. When it throws, nothing of it was added. */
export function writeRequest<Q extends Fields, S extends Fields>(
  writer: Writer,
  api: Api<Q, S>,
  version: number,
  correlationId: number,
  clientId: string | null,
  request: Draft<Q>,
): void {
  writer.beginFrame();
  try {
    writer.int16(api.key);
    writer.int16(version);
    writer.int32(correlationId);
    writer.string(clientId);
    if (includes(api.flexible, version)) writer.uvarint(0);
    api.request.encode(writer, version, request);
  } catch (error) {
    writer.abandonFrame();
    throw error;
  }
  writer.endFrame();
}

/** A response whose head was read. */
export interface ResponseFrame {
  readonly correlationId: number;
  /** Stands at the header's tags, if it has any: {@link readResponse} knows. */
  readonly rest: Reader;
}

/** Which request a frame of the broker answers. */
export function readResponseHeader(frame: Buffer): ResponseFrame {
  const rest = new Reader(frame);
  return { correlationId: rest.int32(), rest };
}

/** Reads the response to a request of that API and version. */
export function readResponse<Q extends Fields, S extends Fields>(
  frame: ResponseFrame,
  api: Api<Q, S>,
  version: number,
): Message<S> {
  if (!includes(api.versions, version)) {
    throw new WireError('unsupported-version', `${api.name} has no version ${version} here.`);
  }
  if (hasTaggedResponseHeader(api, version)) frame.rest.skipTags();
  return api.response.decode(frame.rest, version);
}

function hasTaggedResponseHeader(api: AnyApi, version: number): boolean {
  return includes(api.flexible, version) && api.key !== apiVersionsApi.key;
}
