import { createHmac, hash } from 'node:crypto';

/** A request as its signature sees it. */
export interface SignableRequest {
  readonly method: string;
  /** As sent: `/1/queue?Action=…`. */
  readonly target: string;
  /** By lower-case name. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: Uint8Array;
}

/** What a signature is made for: `KEYID/20150830/us-east-1/sqs/aws4_request`. */
export interface Credential {
  readonly accessKeyId: string;
  /** `20150830` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

export const algorithm = 'AWS4-HMAC-SHA256';
export const terminator = 'aws4_request';
/** A client may sign this instead of the hash of the body. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/**
 * The canonical request of Signature Version 4:
 *
 * ```
 * method LF path LF query LF (name:value LF)* LF signedHeaders LF payloadHash
 * ```
 *
 * Source: "Create a signed AWS API request", IAM user guide.
 */
export function canonicalRequest(
  request: SignableRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const [path, query] = splitTarget(request.target);
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`).join('');
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    headers,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** The text that is signed: the algorithm, the time, the scope, and the hash of the canonical request. */
export function stringToSign(time: string, credential: Credential, canonical: string): string {
  const { day, region, service } = credential;
  return [algorithm, time, `${day}/${region}/${service}/${terminator}`, sha256Hex(canonical)].join('\n');
}

/** The key of a day, region and service, which the secret gives. */
export function signingKey(secret: string, { day, region, service }: Credential): Buffer {
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [day, region, service, terminator]) key = hmac(key, part);
  return key as Buffer;
}

export function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256Hex(content: string | Uint8Array): string {
  return hash('sha256', content);
}

/** The path and the query of a target, as sent. */
export function splitTarget(target: string): readonly [path: string, query: string] {
  const path = /^[a-z]+:\/\//i.test(target) ? target.replace(/^[^/]*\/\/[^/?]*/, '') : target;
  const mark = path.indexOf('?');
  return mark < 0 ? [path, ''] : [path.slice(0, mark), path.slice(mark + 1)];
}

/** Without empty and dot segments, and encoded once more: only S3 signs paths as they are. */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/'))
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encode(segment));
  const end = path.endsWith('/') && kept.length > 0 ? '/' : '';
  return `/${kept.join('/')}${end}`;
}

/** The parameters in the order of their encoded names and values; the signature itself is not signed. */
function canonicalQuery(query: string): string {
  const pairs: [name: string, value: string][] = [];
  for (const [name, value] of queryPairs(query))
    if (name !== 'X-Amz-Signature') pairs.push([encode(name), encode(value)]);
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** The decoded parameters of a query. A `+` is a `+`: signers encode a blank as `%20`. */
export function queryPairs(query: string): [name: string, value: string][] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no signer has made this: the signature will not match
  }
}

/** RFC 3986: all but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Several values are joined, and blanks between words are one. */
function canonicalValue(value: string | readonly string[] | undefined): string {
  if (value === undefined) return '';
  const values = typeof value === 'string' ? [value] : value;
  return values.map((one) => one.trim().replaceAll(/\s+/g, ' ')).join(',');
}
