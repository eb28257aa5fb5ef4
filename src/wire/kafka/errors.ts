/** What is wrong with the bytes received. */
export type WireErrorCode =
  /** A field, or a count of elements, that reaches beyond its frame. */
  | 'truncated'
  /** A length that is impossible for the field. */
  | 'bad-length'
  /** More elements in arrays than a request may have. */
  | 'too-many-elements'
  /** Null where the version does not allow it. */
  | 'unexpected-null'
  /** A frame larger than allowed, or of negative size. */
  | 'frame-size'
  /** An API, or a version of it, that is not in the table of messages. */
  | 'unsupported-version'
  /** Compressed bytes that cannot be decompressed. */
  | 'bad-compression'
  /** Compressed bytes whose content is larger than allowed. */
  | 'decompressed-size'
  /** An unknown codec, or one whose library is not installed. */
  | 'unsupported-compression'
  /** A record batch that contradicts itself. */
  | 'bad-batch';

/** Bytes that cannot be decoded. Any fields decoded before the error must be discarded. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WireError';
    this.code = code;
  }
}
