import type { AnyApi, Api } from './api.ts';
import { apiByKey, type SomeApi } from './apis/index.ts';
import { apiVersionsApi } from './apis/api-versions.ts';
import { WireError } from './errors.ts';
import { Reader } from './reader.ts';
import { includes, type Draft, type Fields, type Message } from './schema.ts';
import type { Writer } from './writer.ts';

/*
 * request  => size:int32 header body
 *   header v1 => apiKey:int16 apiVersion:int16 correlationId:int32 clientId:string?
 *   header v2 => header v1, tags; the client id is not a compact string here either
 * response => size:int32 header body
 *   header v0 => correlationId:int32
 *   header v1 => header v0, tags
 *
 * Flexible versions have the later headers. Responses of ApiVersions always have header v0, so that a client
 * can read them before it knows the versions (KIP-511).
 */

/** The header of a request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Chosen by the client; the response carries the same value. */
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** A request whose header has been decoded. */
export interface RequestFrame extends RequestHeader {
  /** Undefined if the API or the version is unknown. The body cannot be decoded then. */
  readonly api: SomeApi | undefined;
  /** A reader at the start of the body. */
  readonly body: Reader;
}

/**
 * Decodes the header of a client's frame. The arrays of the body may have `elementsMax` elements in total.
 * Throws a WireError if the frame has no valid header.
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

/** Appends a response. If it throws, the writer is unchanged. */
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

/** Appends a request; for clients. If it throws, the writer is unchanged. */
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

/** A response whose correlation id has been decoded. */
export interface ResponseFrame {
  readonly correlationId: number;
  /** A reader at the tags of the header, if it has any: {@link readResponse} knows. */
  readonly rest: Reader;
}

/** Decodes the correlation id, which names the request that the frame answers. */
export function readResponseHeader(frame: Buffer): ResponseFrame {
  const rest = new Reader(frame);
  return { correlationId: rest.int32(), rest };
}

/** Decodes the response to a request of this API and version. */
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
