/**
 * What is wrong with the bytes received. The connection cannot recover from any of these: the rest of its
 * input has no meaning.
 */
export type WireErrorCode =
  /** The client begins with something else than `AMQP 0 0 9 1`. */
  | 'protocol-header'
  /** A frame of an unknown type. */
  | 'frame-type'
  /** A frame that is larger than negotiated. */
  | 'frame-too-large'
  /** A frame that does not end with the end octet. */
  | 'frame-end'
  /** The arguments end before all of them were read. */
  | 'truncated'
  /** A type of a table's value that does not exist, or a value that its type does not have. */
  | 'bad-field'
  /** A table with more levels than allowed. */
  | 'too-deep';

/** Bytes that cannot be decoded. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
