import { WireError, type WireErrorCode } from '../../wire/nats/index.ts';

/** The texts of -ERR. Clients compare them, so they are the same as nats-server's. */
export const ErrorText = {
  unknownOperation: 'Unknown Protocol Operation',
  parserError: 'Parser Error',
  controlLineExceeded: 'maximum control line exceeded',
  payloadExceeded: 'Maximum Payload Violation',
  authorizationViolation: 'Authorization Violation',
  authenticationTimeout: 'Authentication Timeout',
  staleConnection: 'Stale Connection',
  connectionsExceeded: 'maximum connections exceeded',
  subscriptionsExceeded: 'maximum subscriptions exceeded',
  invalidSubject: 'Invalid Subject',
  invalidPublishSubject: 'Invalid Publish Subject',
  invalidProtocol: 'invalid client protocol',
  noRespondersNeedHeaders: 'no responders requires headers support',
  headersNotSupported: 'message headers not supported',
  internal: 'Internal Server Error',
} as const;
export type ErrorText = (typeof ErrorText)[keyof typeof ErrorText];

/**
 * An error that closes the connection after `-ERR 'text'`. Errors that do not close it are written with
 * `session.complain`.
 */
export class ClosingError extends Error {
  readonly text: ErrorText;

  constructor(text: ErrorText) {
    super(text);
    this.name = 'ClosingError';
    this.text = text;
  }
}

/** The text that a client gets for an error that closes its connection. */
export function closingText(error: unknown): ErrorText {
  if (error instanceof ClosingError) return error.text;
  if (!(error instanceof WireError)) return ErrorText.internal;
  return wireTexts[error.code];
}

const wireTexts: { readonly [Code in WireErrorCode]: ErrorText } = {
  'unknown-operation': ErrorText.unknownOperation,
  'control-line-exceeded': ErrorText.controlLineExceeded,
  'payload-exceeded': ErrorText.payloadExceeded,
  // nats-server closes the connection without -ERR after these two.
  'bad-arguments': ErrorText.parserError,
  'bad-json': ErrorText.parserError,
};
