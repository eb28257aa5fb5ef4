import { ErrorCode } from '../../../wire/kafka/index.ts';
import { saslMechanisms } from '../auth.ts';
import { errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';

export const saslHandshake: Handler<'SaslHandshake'> = ({ mechanism }, { session, version }) => {
  const mechanisms = [...saslMechanisms];
  if (session.authorized) return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms };
  const isKnown = session.beginSasl(mechanism, version === 0);
  return { errorCode: isKnown ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms };
};

export const saslAuthenticate: Handler<'SaslAuthenticate'> = ({ authBytes }, { session }) => {
  try {
    return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: session.saslToken(authBytes) };
  } catch (error) {
    return {
      errorCode: errorCodeOf(error),
      errorMessage: errorMessageOf(error),
      authBytes: new Uint8Array(0),
    };
  }
};
