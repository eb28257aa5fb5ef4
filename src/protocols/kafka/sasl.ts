import { ErrorCode } from '../../wire/kafka/index.ts';
import type { Login } from '../users/index.ts';
import { KafkaError } from './errors.ts';

/** The answer to a token; with a login it is complete. */
export interface SaslStep {
  readonly bytes: Uint8Array;
  readonly login?: Login;
}

/**
 * A SASL mechanism is one way to log in (RFC 4422): tokens of the client, and an answer to each. One object
 * is one login.
 */
export interface SaslMechanism {
  /** The user whose password the next step looks at; undefined: it looks at none. */
  proves(token: Uint8Array): string | undefined;
  /**
   * At once, but where a password has to be derived. Throws, or rejects with, a KafkaError
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
