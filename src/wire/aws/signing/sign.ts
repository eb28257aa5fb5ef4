import {
  algorithm,
  canonicalRequest,
  type Credential,
  hmac,
  sha256Hex,
  type SignableRequest,
  signingKey,
  stringToSign,
  terminator,
} from './canonical.ts';

export interface SigningOptions {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly service: string;
  readonly timeMs: number;
}

/** The headers that sign a request, besides those that it has: `x-amz-date` and `authorization`. */
export function signRequest(
  request: SignableRequest,
  options: SigningOptions,
): { readonly 'x-amz-date': string; readonly authorization: string } {
  const time = compactTime(options.timeMs);
  const credential = credentialOf(options, time);
  const headers: SignableRequest['headers'] = { ...request.headers, 'x-amz-date': time };
  const names = Object.keys(headers).sort();
  const given = headers['x-amz-content-sha256'];
  const payloadHash = typeof given === 'string' ? given : sha256Hex(request.body);
  const canonical = canonicalRequest({ ...request, headers }, names, payloadHash);
  const signature = sign(options.secret, credential, time, canonical);
  return {
    'x-amz-date': time,
    authorization: `${algorithm} Credential=${scopeOf(credential)}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

/** The target of a request that signs itself for some seconds: a presigned URL without its host. */
export function presignTarget(
  request: SignableRequest,
  options: SigningOptions & { readonly expiresS: number },
): string {
  const time = compactTime(options.timeMs);
  const credential = credentialOf(options, time);
  const names = Object.keys(request.headers).sort();
  const parameters: { readonly [name: string]: string } = {
    'X-Amz-Algorithm': algorithm,
    'X-Amz-Credential': scopeOf(credential),
    'X-Amz-Date': time,
    'X-Amz-Expires': String(options.expiresS),
    'X-Amz-SignedHeaders': names.join(';'),
  };
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const target = `${request.target}${request.target.includes('?') ? '&' : '?'}${query.join('&')}`;
  const canonical = canonicalRequest({ ...request, target }, names, sha256Hex(request.body));
  return `${target}&X-Amz-Signature=${sign(options.secret, credential, time, canonical)}`;
}

function sign(secret: string, credential: Credential, time: string, canonical: string): string {
  return hmac(signingKey(secret, credential), stringToSign(time, credential, canonical)).toString('hex');
}

function credentialOf({ accessKeyId, region, service }: SigningOptions, time: string): Credential {
  return { accessKeyId, day: time.slice(0, 8), region, service };
}

function scopeOf({ accessKeyId, day, region, service }: Credential): string {
  return `${accessKeyId}/${day}/${region}/${service}/${terminator}`;
}

/** `20150830T123600Z` */
export function compactTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
