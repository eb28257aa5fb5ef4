/**
 * What is wrong with the bytes received. The connection cannot recover from any of these: the start of the
 * next frame is unknown.
 */
export type WireErrorCode =
  /** An unknown verb, or a payload without its line end. */
  | 'unknown-operation'
  /** The arguments of a verb are longer than the control line may be. */
  | 'control-line-exceeded'
  /** The announced payload is larger than allowed. */
  | 'payload-exceeded'
  /** Too few or too many arguments, or an invalid size. */
  | 'bad-arguments'
  /** CONNECT or INFO without a valid JSON object. */
  | 'bad-json';

/** A frame that cannot be decoded. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
