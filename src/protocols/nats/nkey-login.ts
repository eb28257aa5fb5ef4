import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { decodeUserKey } from '../../wire/nats/index.ts';

/** As in nats-server: 15 characters. */
const nonceBytes = 11;
const signatureBytes = 64;
/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410), without the key itself. */
const keyHead = Buffer.from('302a300506032b6570032100', 'hex');

/** A nonce for a client with an nkey to sign. INFO shows it to this client only. */
export function makeNonce(): string {
  return randomBytes(nonceBytes).toString('base64url');
}

/**
 * Whether the owner of the public key (`U…`) has signed the nonce. The signature is base64, in either
 * alphabet.
 */
export function hasSigned(nkey: string, nonce: string, signature: string): boolean {
  const key = decodeUserKey(nkey);
  const bytes = Buffer.from(signature, 'base64');
  if (key === undefined || bytes.length !== signatureBytes) return false;
  const publicKey = createPublicKey({ key: Buffer.concat([keyHead, key]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(nonce, 'latin1'), publicKey, bytes);
}
