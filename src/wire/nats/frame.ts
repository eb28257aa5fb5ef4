/** Verbs that a client says; the server ignores the last three or closes. */
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

/** Verbs that a server says. */
export type ServerVerb = 'INFO' | 'MSG' | 'HMSG' | '+OK' | '-ERR' | 'PING' | 'PONG';

export type Verb = ClientVerb | ServerVerb;

/** What to do about each verb of one side: a method of the same name, given who is spoken to. */
export type Handlers<Side extends Verb, Target> = {
  readonly [V in Side]: (target: Target, frame: Frame) => void;
};

/**
 * A frame is one verb with its arguments and payload, as ranges of bytes in a buffer it does not own.
 *
 * A parser has one and fills it again for every verb: nothing is allocated per message. A start of -1 says
 * there is no such argument.
 */
export class Frame {
  buffer: Buffer = noBytes;
  /** All that follows the verb, without blanks around it: the JSON of CONNECT and INFO, the text of -ERR. */
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
  /** The second argument of UNSUB; 0 when there is none or it is no positive number. */
  maxMessages = 0;
  /** Bytes of the header block at the head of the payload; 0 when there is none. */
  headerBytes = 0;
  /** The payload, headers included, without the line end that follows it. */
  payloadStart = 0;
  payloadEnd = 0;
  /**
   * Where the part begins that PUB and MSG (HPUB and HMSG) have in common: `[reply] #size CRLF payload CRLF`.
   * It ends 2 bytes after `payloadEnd`. -1 when blanks other than single spaces stand between the arguments,
   * so that it should not be copied as it is.
   */
  commonStart = -1;
  /** The whole control line is the same as that of the publish before, byte for byte: so is the subject. */
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

  /** An opaque token of the client's choice: one character per byte. */
  sid(): string {
    return this.buffer.toString('latin1', this.sidStart, this.sidEnd);
  }

  /** The header block, a view. */
  headerBlock(): Buffer {
    return this.buffer.subarray(this.payloadStart, this.payloadStart + this.headerBytes);
  }

  /** The payload after the header block, a view. */
  value(): Buffer {
    return this.buffer.subarray(this.payloadStart + this.headerBytes, this.payloadEnd);
  }
}

const noBytes = Buffer.alloc(0);
