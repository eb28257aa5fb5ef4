/** The byte values that frames are recognised by. */
export const letterM = 0x4d;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const space = 0x20;
export const closingBrace = 0x7d;
export const dollar = 0x24;

/** A message frame is a MSG or HMSG with its payload. */
export interface MessageFrame {
  readonly kind: 'message';
  readonly subject: string;
  readonly reply: string;
  readonly replyPosition: number;
  readonly payloadPosition: number;
  readonly payloadEnd: number;
  /** The status of a message with headers (`NATS/1.0 503`), otherwise empty. */
  readonly status: string;
  readonly end: number;
}

/** A control frame is a frame without a message. */
export interface ControlFrame {
  readonly kind: 'info' | 'ping' | 'pong' | 'ok';
  readonly end: number;
}

/** A frame is one complete verb of the server. `end` is the position after its last byte. */
export type Frame = MessageFrame | ControlFrame;

/**
 * Reads the frame at `position`; undefined if it is not complete. This is the slow path: generators skip
 * frames of a known shape by arithmetic, and come here when the shape changes.
 */
export function readFrame(buffer: Buffer, position: number, end: number): Frame | undefined {
  const lineEnd = buffer.indexOf('\r\n', position, 'latin1');
  if (lineEnd < 0 || lineEnd + 2 > end) return undefined;
  const line = buffer.toString('latin1', position, lineEnd);
  const next = lineEnd + 2;
  if (line.startsWith('MSG ') || line.startsWith('HMSG '))
    return readMessage(buffer, line, position, next, end);
  if (line === 'PING') return { kind: 'ping', end: next };
  if (line === 'PONG') return { kind: 'pong', end: next };
  if (line === '+OK') return { kind: 'ok', end: next };
  if (line.startsWith('INFO ')) return { kind: 'info', end: next };
  throw new Error(`the server said: ${line.slice(0, 200)}`);
}

/** `MSG <subject> <sid> [reply] <bytes>` or `HMSG <subject> <sid> [reply] <header bytes> <bytes>`. */
function readMessage(
  buffer: Buffer,
  line: string,
  position: number,
  payload: number,
  end: number,
): MessageFrame | undefined {
  const fields = line.split(' ');
  const withHeaders = line.startsWith('H');
  const payloadBytes = Number(fields.at(-1));
  const headerBytes = withHeaders ? Number(fields.at(-2)) : 0;
  const payloadEnd = payload + payloadBytes;
  if (payloadEnd + 2 > end) return undefined;
  const hasReply = fields.length === (withHeaders ? 6 : 5);
  return {
    kind: 'message',
    subject: fields[1] ?? '',
    reply: hasReply ? (fields[3] ?? '') : '',
    replyPosition: position + fields.slice(0, 3).join(' ').length + 1,
    payloadPosition: payload + headerBytes,
    payloadEnd,
    status: withHeaders
      ? (buffer.toString('latin1', payload, payload + headerBytes).split('\r\n')[0] ?? '')
      : '',
    end: payloadEnd + 2,
  };
}
