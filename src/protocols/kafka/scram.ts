import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../util/index.ts';
import type { ScramHash, ScramKeys, User, Users } from '../users/index.ts';
import { authenticationFailed, type SaslStep } from './sasl.ts';

const nonceBytes = 24;
const tokenBytesMax = 4096;

/**
 * A SCRAM exchange is one login by RFC 5802: neither side sends the password, and each side proves that it
 * knows it.
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
  readonly #users: Users;
  readonly #random: Random;
  #user: User | undefined = undefined;
  /** The name that the client gave, whether such a user exists or not. */
  #name = '';
  #header = '';
  #nonce = '';
  #clientNonce = '';
  #firstMessages = '';
  #keys: ScramKeys | undefined = undefined;

  constructor(hash: ScramHash, users: Users, random: Random) {
    this.#hash = hash;
    this.#users = users;
    this.#random = random;
  }

  proves(): string | undefined {
    return this.#nonce === '' ? undefined : this.#name;
  }

  step(token: Uint8Array): SaslStep | Promise<SaslStep> {
    if (token.length > tokenBytesMax) throw authenticationFailed();
    const message = Buffer.from(token).toString('utf8');
    return this.#nonce === '' ? this.#first(message) : this.#final(message);
  }

  async #first(message: string): Promise<SaslStep> {
    // gs2-header: no channel binding ("n", or "y" if the client supports it), and optionally a name to act
    // as, which must be the same name.
    const match = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/.exec(message);
    if (!match) throw authenticationFailed();
    const [, header = '', actAs, bare = '', escapedName = '', clientNonce = ''] = match;
    if (actAs !== undefined && actAs !== escapedName) throw authenticationFailed();
    const name = escapedName.replaceAll('=2C', ',').replaceAll('=3D', '=');
    this.#name = name;
    this.#user = this.#users.find('kafka', name);
    this.#header = header;
    this.#clientNonce = clientNonce;
    this.#nonce = clientNonce + Buffer.from(this.#random.bytes(nonceBytes)).toString('base64');
    const { passwords } = this.#users;
    const password = this.#user?.credentials.password;
    this.#keys = password && (await passwords.keysOf(password, this.#hash));
    const { salt, iterations } = this.#keys ?? passwords.keysOfUnknown(name, this.#hash);
    const answer = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    this.#firstMessages = `${bare},${answer}`;
    return { bytes: Buffer.from(answer) };
  }

  #final(message: string): SaslStep {
    const match = /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(message);
    const keys = this.#keys;
    const user = this.#user;
    // The table of users may have changed meanwhile.
    if (!match || !keys || !user || this.#users.find('kafka', this.#name) !== user)
      throw authenticationFailed();
    const [, withoutProof = '', binding = '', nonce = '', proofText = ''] = match;
    // The nonce and the header are repeated, which shows that they were not changed in transit.
    if (!this.#isNonce(nonce) || Buffer.from(binding, 'base64').toString() !== this.#header)
      throw authenticationFailed();
    const authMessage = `${this.#firstMessages},${withoutProof}`;
    const proof = Buffer.from(proofText, 'base64');
    const signature = this.#hmac(keys.storedKey, authMessage);
    if (proof.length !== signature.length) throw authenticationFailed();
    const clientKey = Buffer.from(proof.map((byte, at) => byte ^ signature[at]!));
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    if (!timingSafeEqual(storedKey, keys.storedKey)) throw authenticationFailed();
    const serverSignature = this.#hmac(keys.serverKey, authMessage).toString('base64');
    return { bytes: Buffer.from(`v=${serverSignature}`), login: this.#users.loginOf('kafka', user, 'scram') };
  }

  /**
   * librdkafka before 2.6.1 sends its own part of the nonce twice. Our part is in it nevertheless, which is
   * what matters (CVE-2024-56128).
   */
  #isNonce(nonce: string): boolean {
    return nonce === this.#nonce || nonce === this.#clientNonce + this.#nonce;
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}
