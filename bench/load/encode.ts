/** A token of a fixed length, so that all frames of a run have the same size. */
export function token(index: number, digits = 6): string {
  return index.toString(36).padStart(digits, '0');
}

/**
 * One PUB frame. The payload is filler without CR, LF or capital letters, so that a lost frame boundary is
 * noticed.
 */
export function encodePublish(subject: string, reply: string, payloadBytes: number): string {
  const target = reply === '' ? subject : `${subject} ${reply}`;
  return `PUB ${target} ${payloadBytes}\r\n${'x'.repeat(payloadBytes)}\r\n`;
}

/** A ring is a run of frames of one size in one buffer, which is written again and again without encoding. */
export interface Ring {
  readonly bytes: Buffer;
  readonly frameBytes: number;
  readonly frames: number;
}

export function encodeRing(frames: number, frameAt: (index: number) => string): Ring {
  const encoded = Array.from({ length: frames }, (_, index) => frameAt(index));
  const frameBytes = encoded[0]?.length ?? 0;
  const uneven = encoded.find((frame) => frame.length !== frameBytes);
  if (uneven !== undefined)
    throw new Error(`a ring needs frames of ${frameBytes} bytes, got ${uneven.length}`);
  return { bytes: Buffer.from(encoded.join(''), 'latin1'), frameBytes, frames };
}
