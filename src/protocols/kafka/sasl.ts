import { ErrorCode } from '../../wire/kafka/index.ts';
import type { Login } from '../users/index.ts';
import { KafkaError } from './errors.ts';

/** The answer to a token. If it has a login, the exchange is complete. */
export interface SaslStep {
  readonly bytes: Uint8Array;
  readonly login?: Login;
}

/**
 * A SASL mechanism is a way to log in (RFC 4422): the client sends tokens, and each gets an answer. One
 * object serves one login.
 */
export interface SaslMechanism {
  /** The user whose password the next step checks; undefined if it checks none. */
  proves(token: Uint8Array): string | undefined;
  /**
   * Synchronous, unless a password has to be derived. Throws, or rejects with, a KafkaError
   * SASL_AUTHENTICATION_FAILED.
   */
  step(token: Uint8Array): SaslStep | Promise<SaslStep>;
}

export function authenticationFailed(): KafkaError {
  return new KafkaError(
    ErrorCode.SASL_AUTHENTICATION_FAILED,
    'Authentication failed: wrong user name or password.',
  );
}
