import { hash } from 'node:crypto';

/**
 * The origin of a message is the place where it was first stored, and when it was sent. It is stored with the
 * message, so that the message keeps its id and its time when it moves to a dead-letter queue and back.
 */
export interface Origin {
  /**
   * `TOPIC.PARTITION.OFFSET` in base 36, with the id of the topic; another unique text for a delayed message.
   */
  readonly place: string;
  /** Milliseconds since the epoch. */
  readonly sentMs: number;
  /** Of a message that was delayed in a FIFO queue: what counts in place of its offset. */
  readonly sequence?: number | undefined;
}

export function placeOf(topicId: number, partition: number, offset: number): string {
  return `${topicId.toString(36)}.${partition.toString(36)}.${offset.toString(36)}`;
}

/** `1a.0.5f/mbe0k3x1`, and with a sequence `-1f8k/mbe0k3x1/5f`. */
export function writeOrigin({ place, sentMs, sequence }: Origin): string {
  const text = `${place}/${sentMs.toString(36)}`;
  return sequence === undefined ? text : `${text}/${sequence.toString(36)}`;
}

/** Undefined for a text that is no origin: other protocols may use the name of the header for anything. */
export function readOrigin(text: string): Origin | undefined {
  const [, place, sent, sequence] =
    /^([0-9a-z.-]{1,64})\/([0-9a-z]{1,10})(?:\/([0-9a-z]{1,10}))?$/.exec(text) ?? [];
  if (place === undefined || sent === undefined) return undefined;
  return {
    place,
    sentMs: Number.parseInt(sent, 36),
    ...(sequence !== undefined && { sequence: Number.parseInt(sequence, 36) }),
  };
}

/**
 * The MessageId of a place: a name-based UUID (RFC 9562, version 3) in the name space of the data directory.
 */
export function messageIdOf(directory: Uint8Array, place: string): string {
  const bytes: Buffer = hash('md5', Buffer.concat([directory, Buffer.from(place, 'latin1')]), 'buffer');
  bytes[6] = (bytes[6]! & 0x0f) | 0x30;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The sequence number of a message in a FIFO queue: 20 digits, which ascend with the offsets. */
export function sequenceNumberOf(sequence: number): string {
  return `1${String(sequence).padStart(19, '0')}`;
}
