import { features, type Feature } from './features.ts';

/**
 * Codes of the errors that the client raises.
 *
 * - `target-invalid`: the URL names no target, or lacks something
 * - `peer-missing`: the package that speaks to the target is not installed
 * - `unsupported`: the target has no such feature
 * - `unreachable`: the target does not answer, or refuses the login
 * - `not-confirmed`: the target did not confirm a publish in time; it may be stored all the same
 * - `topic-full`, `message-too-large`, `message-invalid`: the target refuses this message
 * - `buffer-full`: too many publishes wait already
 * - `refused`: any other refusal by the target, in its own words
 * - `closed`: the client was closed
 */
export type ClientErrorCode =
  | 'target-invalid'
  | 'peer-missing'
  | 'unsupported'
  | 'unreachable'
  | 'not-confirmed'
  | 'topic-full'
  | 'message-too-large'
  | 'message-invalid'
  | 'buffer-full'
  | 'refused'
  | 'closed';

export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A target was asked for a feature that it does not have. `elsewhere` lists the targets that have it. */
export class UnsupportedError extends ClientError {
  override readonly name = 'UnsupportedError';
  readonly target: string;
  readonly feature: Feature;
  readonly elsewhere: readonly string[];

  constructor(target: string, feature: Feature, elsewhere: readonly string[]) {
    const others = elsewhere.length === 0 ? 'No target can' : `These can: ${elsewhere.join(', ')}`;
    super('unsupported', `${target} cannot ${features[feature]}. ${others}.`);
    this.target = target;
    this.feature = feature;
    this.elsewhere = elsewhere;
  }
}

/** The package that speaks to the target is not installed. */
export class MissingPeerError extends ClientError {
  override readonly name = 'MissingPeerError';
  readonly package: string;

  constructor(target: string, name: string, cause: unknown) {
    super('peer-missing', `${target} is reached through the package ${name}: npm install ${name}`, cause);
    this.package = name;
  }
}

export function closedError(what: string): ClientError {
  return new ClientError('closed', `${what} was closed.`);
}
