import type { Random } from '../../util/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import { beginSasl, type KafkaAuth } from './auth.ts';
import { KafkaError } from './errors.ts';
import type { SaslMechanism, SaslStep } from './sasl.ts';

/** A login is how a connection says who it is: SaslHandshake names a mechanism, then its tokens go back and forth. */
export class Login {
  /** Who fails has to connect again. */
  hasFailed = false;
  readonly #auth: KafkaAuth;
  readonly #random: Random;
  #mechanism: SaslMechanism | undefined = undefined;
  #isBare = false;

  constructor(auth: KafkaAuth, random: Random) {
    this.#auth = auth;
    this.#random = random;
  }

  /** After SaslHandshake version 0 the tokens come as bare frames, until the login is complete. */
  get takesBareTokens(): boolean {
    return this.#isBare && this.#mechanism !== undefined;
  }

  /** False: there is no such mechanism, or nobody has to log in. */
  begin(mechanism: string, isBare: boolean): boolean {
    this.#mechanism = beginSasl(this.#auth, mechanism, this.#random);
    this.#isBare = isBare;
    return this.#mechanism !== undefined;
  }

  /** Throws a KafkaError: ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED. */
  step(token: Uint8Array): SaslStep {
    if (!this.#mechanism)
      throw new KafkaError(ErrorCode.ILLEGAL_SASL_STATE, 'There was no SaslHandshake before.');
    try {
      const step = this.#mechanism.step(token);
      if (step.user !== undefined) this.#mechanism = undefined;
      return step;
    } catch (error) {
      this.#mechanism = undefined;
      this.hasFailed = true;
      throw error;
    }
  }
}
