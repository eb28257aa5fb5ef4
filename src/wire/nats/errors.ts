/**
 * What is wrong with the bytes of the other side. None of it can be recovered from: the stream has lost its
 * frame.
 */
export type WireErrorCode =
  /** No such verb, or bytes where the end of a payload should be. */
  | 'unknown-operation'
  /** The arguments of a verb are longer than the control line may be. */
  | 'control-line-exceeded'
  /** The announced payload is larger than allowed. */
  | 'payload-exceeded'
  /** Too few or too many arguments, or a size that is none. */
  | 'bad-arguments'
  /** CONNECT or INFO without a proper JSON object. */
  | 'bad-json';

/** A frame that cannot be understood. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
