import { AwsError } from '../error.ts';
import {
  algorithm,
  type Credential,
  queryPairs,
  type SignableRequest,
  splitTarget,
  terminator,
} from './canonical.ts';

/** What a request says of its signature, before it is verified. */
export interface Claim {
  readonly credential: Credential;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** When it was signed, as it says: `20150830T123600Z`. */
  readonly time: string;
  readonly timeMs: number;
  /** Of a presigned URL: for how long it is good. */
  readonly expiresS?: number;
}

/** Names of headers in a signature; more are refused. */
const signedHeadersMax = 100;
/** Seven days, as AWS has it. */
const expiresMaxS = 604_800;

/**
 * Reads the signature of a request from its header `Authorization` or from its query; undefined if it has
 * none. Throws an AwsError if it is incomplete.
 */
export function readClaim(request: SignableRequest): Claim | undefined {
  const authorization = textOf(request.headers['authorization']);
  if (authorization !== undefined) return readHeader(authorization, request);
  const query = splitTarget(request.target)[1];
  return query.includes('X-Amz-') ? readPresigned(new Map(queryPairs(query))) : undefined;
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` */
function readHeader(text: string, request: SignableRequest): Claim {
  const blank = text.indexOf(' ');
  if (text.slice(0, blank) !== algorithm) throw incomplete(`Authorization requires ${algorithm}.`);
  const parts = new Map(
    text
      .slice(blank + 1)
      .split(',')
      .map((part) => {
        const equals = part.indexOf('=');
        return [part.slice(0, Math.max(0, equals)).trim(), part.slice(equals + 1).trim()];
      }),
  );
  const date = textOf(request.headers['x-amz-date']) ?? textOf(request.headers['date']);
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parts.get(name));
  const complaints = missing.map((name) => `Authorization header requires '${name}' parameter.`);
  if (date === undefined)
    complaints.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (complaints.length > 0) throw incomplete(complaints.join(' '));
  return claimOf(parts.get('Credential')!, parts.get('SignedHeaders')!, parts.get('Signature')!, date!);
}

function readPresigned(parameters: ReadonlyMap<string, string>): Claim | undefined {
  if (!parameters.has('X-Amz-Signature') && !parameters.has('X-Amz-Credential')) return undefined;
  const [credential, headers, signature, date, expires] = [
    'X-Amz-Credential',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
    'X-Amz-Date',
    'X-Amz-Expires',
  ].map((name) => {
    const value = parameters.get(name);
    if (value === undefined || value === '') throw incomplete(`The query requires '${name}'.`);
    return value;
  });
  if (parameters.get('X-Amz-Algorithm') !== algorithm)
    throw incomplete(`The query requires 'X-Amz-Algorithm' to be ${algorithm}.`);
  const expiresS = /^[0-9]{1,6}$/.test(expires!) ? Number(expires) : 0;
  if (expiresS < 1 || expiresS > expiresMaxS)
    throw incomplete(`'X-Amz-Expires' must be a number of seconds from 1 to ${expiresMaxS}.`);
  return { ...claimOf(credential!, headers!, signature!, date!), expiresS };
}

function claimOf(credential: string, headers: string, signature: string, date: string): Claim {
  const time = timeOf(date);
  const signedHeaders = headers.toLowerCase().split(';');
  if (signedHeaders.length > signedHeadersMax)
    throw incomplete(`A signature may have ${signedHeadersMax} headers at most.`);
  return { credential: credentialOf(credential), signedHeaders, signature, ...time };
}

function credentialOf(text: string): Credential {
  const parts = text.split('/');
  const [accessKeyId = '', day = '', region = '', service = '', last = ''] = parts;
  if (parts.length !== 5 || accessKeyId === '')
    throw incomplete(
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.',
    );
  if (last !== terminator)
    throw new AwsError(
      'SignatureDoesNotMatch',
      `Credential should be scoped with a valid terminator: '${terminator}'.`,
    );
  return { accessKeyId, day, region, service };
}

function timeOf(text: string): { readonly time: string; readonly timeMs: number } {
  const compact = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (compact) {
    const [, year, month, day, hour, minute, second] = compact;
    const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    if (!Number.isNaN(timeMs)) return { time: text, timeMs };
  }
  // The header `Date` has the form of HTTP.
  const timeMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(timeMs))
    throw incomplete("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601");
  return { time: new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, ''), timeMs };
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(',');
}

function incomplete(message: string): AwsError {
  return new AwsError('IncompleteSignature', message);
}
