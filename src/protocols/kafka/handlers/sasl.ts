import { ErrorCode, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { saslMechanisms } from '../auth.ts';
import { errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';

export const saslHandshake: Handler<'SaslHandshake'> = ({ mechanism }, { session, version }) => {
  const mechanisms = [...saslMechanisms];
  if (!session.mayLogIn) return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms };
  const isKnown = session.beginSasl(mechanism, version === 0);
  return { errorCode: isKnown ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms };
};

export const saslAuthenticate: Handler<'SaslAuthenticate'> = ({ authBytes }, { session }) => {
  try {
    const answer = session.saslToken(authBytes);
    const accepted = (bytes: Uint8Array): ResponseDraft<'SaslAuthenticate'> => ({
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      authBytes: bytes,
      sessionLifetimeMs: session.authorized ? session.loginMsMax : 0,
    });
    return answer instanceof Promise ? answer.then(accepted, refused) : accepted(answer);
  } catch (error) {
    return refused(error);
  }
};

function refused(error: unknown): ResponseDraft<'SaslAuthenticate'> {
  return {
    errorCode: errorCodeOf(error),
    errorMessage: errorMessageOf(error),
    authBytes: new Uint8Array(0),
  };
}
