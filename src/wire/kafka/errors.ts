/** What is wrong with bytes of the other side. */
export type WireErrorCode =
  /** A field, or a count of elements, that reaches beyond its frame. */
  | 'truncated'
  /** A length that no value of the field can have. */
  | 'bad-length'
  /** More elements in arrays than a request may have. */
  | 'too-many-elements'
  /** Null where the version at hand has no null. */
  | 'unexpected-null'
  /** A frame larger than allowed, or of negative size. */
  | 'frame-size'
  /** An API, or a version of it, that is not in the table of messages. */
  | 'unsupported-version'
  /** Compressed bytes that cannot be opened. */
  | 'bad-compression'
  /** Compressed bytes that would become larger than allowed. */
  | 'decompressed-size'
  /** A codec that is not known, or whose library is not installed. */
  | 'unsupported-compression'
  /** A record batch that contradicts itself. */
  | 'bad-batch';

/** Bytes that cannot be understood. What was read of them so far is of no use. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WireError';
    this.code = code;
  }
}
