import type { Clock, Random } from '../../util/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';
import type { LoginThrottle } from '../connections/index.ts';
import type { Users } from '../users/index.ts';
import { beginSasl } from './auth.ts';
import { KafkaError } from './errors.ts';
import type { SaslMechanism, SaslStep } from './sasl.ts';

/** The services that the connection offers to a login. */
export interface LoginHost {
  readonly users: Users;
  readonly random: Random;
  readonly clock: Clock;
  readonly logins: LoginThrottle;
  readonly address: string;
  /** Called when the password is checked only after this time; extends the connection's deadline. */
  readonly delayed: (waitMs: number) => void;
  readonly isClosed: () => boolean;
}

/** A login authenticates a connection: SaslHandshake names a mechanism, then tokens are exchanged. */
export class SaslLogin {
  /** After a failure the client has to connect again. */
  hasFailed = false;
  readonly #host: LoginHost;
  #mechanism: SaslMechanism | undefined = undefined;
  #isBare = false;
  #isWaiting = false;

  constructor(host: LoginHost) {
    this.#host = host;
  }

  /** After SaslHandshake version 0 the tokens come as bare frames, until the login is complete. */
  get takesBareTokens(): boolean {
    return this.#isBare && this.#mechanism !== undefined;
  }

  /** False if there is no such mechanism, or if clients need not log in. */
  begin(mechanism: string, isBare: boolean): boolean {
    this.#mechanism = beginSasl(this.#host.users, mechanism, this.#host.random);
    this.#isBare = isBare;
    return this.#mechanism !== undefined;
  }

  /**
   * Throws, or rejects with, a KafkaError: ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED. A token that
   * proves a password may have to wait first.
   */
  step(token: Uint8Array): SaslStep | Promise<SaslStep> {
    const mechanism = this.#mechanism;
    if (!mechanism) throw new KafkaError(ErrorCode.ILLEGAL_SASL_STATE, 'There was no SaslHandshake before.');
    if (this.#isWaiting)
      throw new KafkaError(ErrorCode.ILLEGAL_SASL_STATE, 'The token before this one has no answer yet.');
    const user = mechanism.proves(token);
    if (user === undefined) return this.#take(mechanism, token, undefined);
    const { clock, logins, address, delayed, isClosed } = this.#host;
    const waitMs = logins.admit(address, user);
    if (waitMs === undefined) {
      this.#end(false);
      throw new KafkaError(
        ErrorCode.SASL_AUTHENTICATION_FAILED,
        'Too many logins from this address or of this user failed; try again later.',
      );
    }
    if (waitMs === 0) return this.#take(mechanism, token, user);
    const kept = Buffer.from(token); // the token is only lent until the handler returns
    delayed(waitMs);
    this.#isWaiting = true;
    return new Promise((resolve, reject) => {
      clock.setTimer(waitMs, () => {
        this.#isWaiting = false;
        if (isClosed()) return; // the token is not checked any more
        try {
          resolve(this.#take(mechanism, kept, user));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #take(mechanism: SaslMechanism, token: Uint8Array, user: string | undefined): SaslStep | Promise<SaslStep> {
    try {
      const step = mechanism.step(token);
      if (!(step instanceof Promise)) return this.#took(step);
      this.#isWaiting = true;
      return step.then(
        (later) => this.#took(later),
        (error: unknown) => this.#failed(user, error),
      );
    } catch (error) {
      return this.#failed(user, error);
    }
  }

  #took(step: SaslStep): SaslStep {
    this.#isWaiting = false;
    if (step.login !== undefined) {
      const { logins, address } = this.#host;
      this.#end(true);
      logins.succeeded(address, step.login.user?.name ?? '');
    }
    return step;
  }

  #failed(user: string | undefined, error: unknown): never {
    this.#isWaiting = false;
    this.#end(false);
    const { logins, address } = this.#host;
    if (user !== undefined) logins.failed(address, user);
    throw error;
  }

  #end(hasSucceeded: boolean): void {
    this.#mechanism = undefined;
    this.hasFailed = !hasSucceeded;
  }
}
