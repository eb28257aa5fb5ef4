import { sameText } from '../../../util/index.ts';
import { AwsError } from '../error.ts';
import type { Service } from '../operations/index.ts';
import {
  canonicalRequest,
  type Credential,
  hmac,
  queryPairs,
  sha256Hex,
  type SignableRequest,
  signingKey,
  splitTarget,
  stringToSign,
  unsignedPayload,
} from './canonical.ts';
import { type Claim, readClaim } from './claim.ts';
import { compactTime } from './sign.ts';

/** The clocks of client and server may differ by so much, in either direction. */
const clockSkewMaxMs: number = 15 * 60_000;
/** Signing keys that are kept. */
const keysMax = 1_000;

export interface SignatureOptions {
  /** The secret of an access key; undefined if there is no such key. */
  readonly secretOf: (accessKeyId: string) => string | undefined;
  readonly nowMs: number;
  /** The services that a signature may be for. */
  readonly services: readonly Service[];
}

/**
 * A verifier of signatures (Signature Version 4), in headers and in presigned URLs. It keeps the keys that
 * secrets give for a day, so that a request costs two hashes.
 *
 * Session tokens are part of what is signed, and mean nothing here: no access key is temporary.
 */
export class SignatureVerifier {
  readonly #keys = new Map<string, { readonly secret: string; readonly key: Buffer }>();

  /**
   * The credential that has signed the request. `claim`: what the request says of its signature, if that was
   * read already. Throws an AwsError if none has signed it.
   */
  verify(
    request: SignableRequest,
    { secretOf, nowMs, services }: SignatureOptions,
    claim: Claim | undefined = readClaim(request),
  ): Credential {
    if (!claim) throw new AwsError('MissingAuthenticationToken');
    const { credential } = claim;
    if (!services.some((service) => service === credential.service))
      throw mismatch(`Credential should be scoped to correct service: '${services.join("' or '")}'.`);
    if (credential.day !== claim.time.slice(0, 8))
      throw mismatch(
        'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
      );
    checkHeaders(claim, request);
    const secret = secretOf(credential.accessKeyId);
    if (secret === undefined) throw new AwsError('InvalidClientTokenId');
    checkTime(claim, nowMs);
    const canonical = canonicalRequest(request, claim.signedHeaders, payloadHashOf(request));
    const expected = hmac(
      this.#keyOf(secret, credential),
      stringToSign(claim.time, credential, canonical),
    ).toString('hex');
    if (!sameText(expected, claim.signature)) throw mismatch(doesNotMatch);
    return credential;
  }

  #keyOf(secret: string, credential: Credential): Buffer {
    const { accessKeyId, day, region, service } = credential;
    const name = [accessKeyId, day, region, service].join('/');
    const known = this.#keys.get(name);
    if (known?.secret === secret) return known.key;
    const key = signingKey(secret, credential);
    // Region and day are the client's: after an error they are as good as any, so the table is bounded.
    if (this.#keys.size >= keysMax) this.#keys.clear();
    this.#keys.set(name, { secret, key });
    return key;
  }
}

/** The host must be signed, and what decides over the meaning of the request. */
function checkHeaders({ signedHeaders, expiresS }: Claim, { headers }: SignableRequest): void {
  if (!signedHeaders.includes('host'))
    throw mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  for (const name of ['x-amz-target', ...(expiresS === undefined ? ['x-amz-date'] : [])])
    if (headers[name] !== undefined && !signedHeaders.includes(name))
      throw mismatch(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
  for (const name of signedHeaders)
    if (headers[name] === undefined)
      throw mismatch(`The signed header '${name.slice(0, 100)}' is not in the request.`);
}

/** Texts and numbers are those of AWS: `Signature expired: … is now earlier than … (… - 15 min.)`. */
function checkTime({ time, timeMs, expiresS }: Claim, nowMs: number): void {
  const now = compactTime(nowMs);
  const oldestMs = nowMs - clockSkewMaxMs;
  const newestMs = nowMs + clockSkewMaxMs;
  const minutes = clockSkewMaxMs / 60_000;
  if (timeMs > newestMs)
    throw mismatch(
      `Signature not yet current: ${time} is still later than ${compactTime(newestMs)} (${now} + ${minutes} min.)`,
    );
  if (expiresS !== undefined) {
    if (timeMs + expiresS * 1000 < nowMs) throw new AwsError('RequestExpired', 'Request has expired.');
  } else if (timeMs < oldestMs)
    throw mismatch(
      `Signature expired: ${time} is now earlier than ${compactTime(oldestMs)} (${now} - ${minutes} min.)`,
    );
}

/** The hash of the body, or what says that it is not signed. */
function payloadHashOf({ headers, target, body }: SignableRequest): string {
  let given = headers['x-amz-content-sha256'];
  if (given === undefined && target.includes('X-Amz-Content-Sha256'))
    given = queryPairs(splitTarget(target)[1]).find(([name]) => name === 'X-Amz-Content-Sha256')?.[1];
  const isUnsigned = given === unsignedPayload;
  return isUnsigned ? unsignedPayload : sha256Hex(body);
}

function mismatch(message: string): AwsError {
  return new AwsError('SignatureDoesNotMatch', message);
}

const doesNotMatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
