import { ByteWriter, writeI64, writeU16, writeU32 } from '../../util/index.ts';
import { FrameType, frameEnd, frameHeadBytes, frameOverheadBytes } from './frame-parser.ts';
import { writeMethod, type Arguments, type Method } from './method.ts';
import { contentHeadBytes } from './properties.ts';

/** The class of all content. */
const basicClass = 60;

/** A heartbeat, whole. */
export const heartbeatFrame: Buffer = Buffer.from([FrameType.heartbeat, 0, 0, 0, 0, 0, 0, frameEnd]);

/** A frame of a method, whole. */
export function methodFrame<M extends Method>(channel: number, method: M, values: Arguments<M>): Buffer {
  const writer = new ByteWriter();
  writer.u8(FrameType.method).u16(channel).u32(0);
  writeMethod(writer, method, values);
  writer.setU32(3, writer.length - frameHeadBytes);
  writer.u8(frameEnd);
  return writer.copy();
}

/** Bytes of the frames of a content: its header, and its body in as few frames as possible. */
export function contentSize(propertiesBytes: number, bodyBytes: number, frameBytesMax: number): number {
  const bodyFrames = Math.ceil(bodyBytes / (frameBytesMax - frameOverheadBytes));
  const headerBytes = contentHeadBytes + propertiesBytes + frameOverheadBytes;
  return headerBytes + bodyBytes + bodyFrames * frameOverheadBytes;
}

/** A content to write: properties as they are on the wire, and a body that is a range of a buffer. */
export interface Content {
  readonly properties: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/** Writes the frames of a content, {@link contentSize} bytes; returns the position after them. */
export function writeContent(
  target: Buffer,
  position: number,
  channel: number,
  { properties, body, bodyStart, bodyEnd }: Content,
  frameBytesMax: number,
): number {
  const headerBytes = contentHeadBytes + properties.length;
  let at = writeFrameHead(target, position, FrameType.header, channel, headerBytes);
  writeU16(target, at, basicClass);
  writeU16(target, at + 2, 0);
  writeI64(target, at + 4, bodyEnd - bodyStart);
  at = copyBytes(target, at + contentHeadBytes, properties, 0, properties.length);
  target[at++] = frameEnd;
  const payloadBytesMax = frameBytesMax - frameOverheadBytes;
  for (let from = bodyStart; from < bodyEnd;) {
    const to = Math.min(bodyEnd, from + payloadBytesMax);
    at = writeFrameHead(target, at, FrameType.body, channel, to - from);
    at = copyBytes(target, at, body, from, to);
    target[at++] = frameEnd;
    from = to;
  }
  return at;
}

/** Writes the first bytes of a frame; returns the position after them. */
export function writeFrameHead(
  target: Buffer,
  position: number,
  type: number,
  channel: number,
  size: number,
): number {
  target[position] = type;
  writeU16(target, position + 1, channel);
  writeU32(target, position + 3, size);
  return position + frameHeadBytes;
}

/** For short ranges a loop is faster than the native copy. */
function copyBytes(target: Buffer, at: number, source: Uint8Array, start: number, end: number): number {
  if (end - start <= 32) {
    for (let from = start; from < end; from++) target[at++] = source[from]!;
    return at;
  }
  target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
  return at + end - start;
}
