/** Verbs of a client; the server ignores the last three or closes the connection. */
export type ClientVerb =
  | 'CONNECT'
  | 'PUB'
  | 'HPUB'
  | 'SUB'
  | 'UNSUB'
  | 'PING'
  | 'PONG'
  | 'INFO'
  | '+OK'
  | '-ERR';

/** Verbs of a server. */
export type ServerVerb = 'INFO' | 'MSG' | 'HMSG' | '+OK' | '-ERR' | 'PING' | 'PONG';

export type Verb = ClientVerb | ServerVerb;

/** Handlers of the verbs of one side: a method named as the verb, which is called with the target. */
export type Handlers<Side extends Verb, Target> = {
  readonly [V in Side]: (target: Target, frame: Frame) => void;
};

/**
 * A frame is one verb with its arguments and payload, as ranges of bytes in a buffer that it does not own.
 *
 * A parser has one instance and fills it again for every verb, so that a message allocates nothing. A start
 * of -1 means that the argument is absent.
 */
export class Frame {
  buffer: Buffer = noBytes;
  /** The text after the verb, trimmed: the JSON of CONNECT and INFO, the text of -ERR. */
  textStart = 0;
  textEnd = 0;
  subjectStart = -1;
  subjectEnd = -1;
  replyStart = -1;
  replyEnd = -1;
  queueStart = -1;
  queueEnd = -1;
  sidStart = -1;
  sidEnd = -1;
  /** The second argument of UNSUB; 0 if it is absent or not a positive number. */
  maxMessages = 0;
  /** Bytes of the header block at the start of the payload; 0 if there is none. */
  headerBytes = 0;
  /** The payload, headers included, without the line end that follows it. */
  payloadStart = 0;
  payloadEnd = 0;
  /**
   * Start of the part that PUB and MSG (HPUB and HMSG) have in common: `[reply] #size CRLF payload CRLF`. It
   * ends 2 bytes after `payloadEnd`. -1 if it must not be copied, because the arguments are separated by
   * other blanks than single spaces.
   */
  commonStart = -1;
  /** Whether the control line equals that of the previous publish, byte for byte, and so does the subject. */
  repeated = false;

  text(): string {
    return this.buffer.toString('utf8', this.textStart, this.textEnd);
  }

  subject(): string {
    return this.buffer.toString('utf8', this.subjectStart, this.subjectEnd);
  }

  reply(): string | undefined {
    return this.replyStart < 0 ? undefined : this.buffer.toString('utf8', this.replyStart, this.replyEnd);
  }

  queue(): string | undefined {
    return this.queueStart < 0 ? undefined : this.buffer.toString('utf8', this.queueStart, this.queueEnd);
  }

  /** A token chosen by the client, one character per byte. */
  sid(): string {
    return this.buffer.toString('latin1', this.sidStart, this.sidEnd);
  }

  /** A view of the header block. */
  headerBlock(): Buffer {
    return this.buffer.subarray(this.payloadStart, this.payloadStart + this.headerBytes);
  }

  /** A view of the payload after the header block. */
  value(): Buffer {
    return this.buffer.subarray(this.payloadStart + this.headerBytes, this.payloadEnd);
  }
}

const noBytes = Buffer.alloc(0);
