import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../util/index.ts';
import { authenticationFailed, type KafkaUser, type SaslStep } from './sasl.ts';

export type ScramHash = 'sha256' | 'sha512';

/** RFC 7677 asks for 4096 at least; clients refuse fewer. */
const iterations = 4096;
const nonceBytes = 24;
const saltBytes = 16;
const tokenBytesMax = 4096;

/** What a server keeps of a password. */
interface Credential {
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Derived once per user and hash, since that is what takes time; the salt is of this run. */
const credentials = new WeakMap<KafkaUser, Map<ScramHash, Credential>>();
/** Salts for names that nobody has follow from this, so that asking twice does not tell. */
let unknownSalt: Buffer | undefined;

/**
 * A SCRAM exchange is one login by RFC 5802: neither side shows the password, and each proves that it knows
 * it.
 *
 * ```
 *   client   n,,n=user,r=nonce
 *   server   r=nonce+ours,s=salt,i=iterations
 *   client   c=biws,r=nonce+ours,p=proof
 *   server   v=signature
 * ```
 */
export class ScramExchange {
  readonly #hash: ScramHash;
  readonly #users: readonly KafkaUser[];
  readonly #random: Random;
  #user: KafkaUser | undefined = undefined;
  /** As the client says it, whether or not there is such a user. */
  #name = '';
  #header = '';
  #nonce = '';
  #clientNonce = '';
  #firstMessages = '';
  #credential: Credential | undefined = undefined;

  constructor(hash: ScramHash, users: readonly KafkaUser[], random: Random) {
    this.#hash = hash;
    this.#users = users;
    this.#random = random;
  }

  proves(): string | undefined {
    return this.#nonce === '' ? undefined : this.#name;
  }

  step(token: Uint8Array): SaslStep {
    if (token.length > tokenBytesMax) throw authenticationFailed();
    const message = Buffer.from(token).toString('utf8');
    return this.#nonce === '' ? this.#first(message) : this.#final(message);
  }

  #first(message: string): SaslStep {
    // gs2-header: no channel binding ("n", or "y": the client could), and perhaps another name to act as,
    // which must be the same.
    const match = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/.exec(message);
    if (!match) throw authenticationFailed();
    const [, header = '', actAs, bare = '', escapedName = '', clientNonce = ''] = match;
    if (actAs !== undefined && actAs !== escapedName) throw authenticationFailed();
    const name = escapedName.replaceAll('=2C', ',').replaceAll('=3D', '=');
    this.#name = name;
    this.#user = this.#users.find(({ user }) => user === name);
    this.#credential = this.#user ? this.#credentialOf(this.#user) : undefined;
    this.#header = header;
    this.#clientNonce = clientNonce;
    this.#nonce = clientNonce + Buffer.from(this.#random.bytes(nonceBytes)).toString('base64');
    const salt = this.#credential?.salt ?? saltOfUnknown(name, this.#random);
    const answer = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    this.#firstMessages = `${bare},${answer}`;
    return { bytes: Buffer.from(answer) };
  }

  #final(message: string): SaslStep {
    const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(message);
    const credential = this.#credential;
    if (!match || !credential || !this.#user) throw authenticationFailed();
    const [, withoutProof = '', binding = '', nonce = '', proofText = ''] = match;
    // Once more, so that nobody between the two has changed what was said first.
    if (!this.#isNonce(nonce) || Buffer.from(binding, 'base64').toString() !== this.#header)
      throw authenticationFailed();
    const authMessage = `${this.#firstMessages},${withoutProof}`;
    const proof = Buffer.from(proofText, 'base64');
    const signature = this.#hmac(credential.storedKey, authMessage);
    if (proof.length !== signature.length) throw authenticationFailed();
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ signature[at]!));
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    if (!timingSafeEqual(storedKey, credential.storedKey)) throw authenticationFailed();
    const serverSignature = this.#hmac(credential.serverKey, authMessage).toString('base64');
    return { bytes: Buffer.from(`v=${serverSignature}`), user: this.#user.user };
  }

  /**
   * librdkafka before 2.6.1 puts its own part twice; ours is in it all the same, and that is what counts
   * (CVE-2024-56128).
   */
  #isNonce(nonce: string): boolean {
    return nonce === this.#nonce || nonce === this.#clientNonce + this.#nonce;
  }

  #credentialOf(user: KafkaUser): Credential {
    let byHash = credentials.get(user);
    if (!byHash) credentials.set(user, (byHash = new Map()));
    let credential = byHash.get(this.#hash);
    if (!credential) {
      const salt = Buffer.from(this.#random.bytes(saltBytes));
      const bytes = this.#hash === 'sha256' ? 32 : 64;
      const salted = pbkdf2Sync(user.password.normalize('NFKC'), salt, iterations, bytes, this.#hash);
      const clientKey = this.#hmac(salted, 'Client Key');
      credential = {
        salt,
        storedKey: createHash(this.#hash).update(clientKey).digest(),
        serverKey: this.#hmac(salted, 'Server Key'),
      };
      byHash.set(this.#hash, credential);
    }
    return credential;
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

function saltOfUnknown(name: string, random: Random): Buffer {
  unknownSalt ??= Buffer.from(random.bytes(saltBytes));
  return createHmac('sha256', unknownSalt).update(name).digest().subarray(0, saltBytes);
}
