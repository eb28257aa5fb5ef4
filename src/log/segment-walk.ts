import { readI32, readI64 } from '../util/index.ts';
import { batchBytesAt, isIntactBatch } from './batch.ts';
import { batchHeaderBytes, batchLastDeltaAt, batchMagic, batchMagicAt } from './format.ts';

/** A damaged range of a segment, and the offsets lost with it. */
export interface DamagedRange {
  readonly position: number;
  readonly end: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface SegmentWalk {
  /** Positions of all intact batches, in order. */
  readonly positions: number[];
  readonly damage: DamagedRange[];
}

/**
 * Finds every intact batch of a segment, and the damaged ranges between them.
 *
 * `buffer` is the file, which may be shorter than the known `bytes` of the segment; its offsets are
 * `[baseOffset, endOffset)`, without a gap. After damage the walk goes on at the end of the damaged batch, by
 * its length. Otherwise it goes on at the next intact batch with later offsets that is followed by another
 * one, or by the end.
 */
export function walkSegment(
  buffer: Uint8Array,
  bytes: number,
  baseOffset: number,
  endOffset: number,
): SegmentWalk {
  const positions: number[] = [];
  const damage: DamagedRange[] = [];
  const end = Math.min(buffer.length, bytes);
  let expected = baseOffset;
  /** Any offset above `expected` is accepted, because the bytes before it are damaged. */
  let afterDamage = false;
  let at = 0;
  while (at < end) {
    if (
      isBatchOf(buffer, at, end, expected, endOffset) &&
      (afterDamage || readI64(buffer, at) === expected)
    ) {
      positions.push(at);
      expected = nextOffset(buffer, at);
      afterDamage = false;
      at += batchBytesAt(buffer, at, end);
      continue;
    }
    const size = batchBytesAt(buffer, at, end);
    let next = at + 1;
    if (
      size > 0 &&
      at + size <= end &&
      (at + size === bytes || isBatchOf(buffer, at + size, end, expected, endOffset))
    )
      next = at + size;
    else while (next < end && !resumesAt(buffer, next, end, bytes, expected, endOffset)) next++;
    const toOffset = next < end ? readI64(buffer, next) : endOffset;
    damage.push({ position: at, end: next < end ? next : bytes, fromOffset: expected, toOffset });
    at = next;
    afterDamage = true;
  }
  if (end < bytes && (damage.length === 0 || damage[damage.length - 1]!.end < bytes)) {
    damage.push({ position: end, end: bytes, fromOffset: expected, toOffset: endOffset });
  }
  return { positions, damage };
}

function nextOffset(buffer: Uint8Array, at: number): number {
  return readI64(buffer, at) + readI32(buffer, at + batchLastDeltaAt) + 1;
}

/** Whether the header at `at` could be that of a batch with offsets in `[expected, endOffset)`. */
function looksLikeBatch(
  buffer: Uint8Array,
  at: number,
  end: number,
  expected: number,
  endOffset: number,
): boolean {
  if (at + batchHeaderBytes > end || buffer[at + batchMagicAt] !== batchMagic) return false;
  const size = batchBytesAt(buffer, at, end);
  return (
    size > 0 && at + size <= end && readI64(buffer, at) >= expected && nextOffset(buffer, at) <= endOffset
  );
}

function isBatchOf(
  buffer: Uint8Array,
  at: number,
  end: number,
  expected: number,
  endOffset: number,
): boolean {
  return (
    looksLikeBatch(buffer, at, end, expected, endOffset) &&
    isIntactBatch(buffer, at, at + batchBytesAt(buffer, at, end))
  );
}

/**
 * Whether the walk may go on here. A message's value may contain the bytes of a batch, but those are not
 * followed by another batch, or by the end.
 */
function resumesAt(
  buffer: Uint8Array,
  at: number,
  end: number,
  bytes: number,
  expected: number,
  endOffset: number,
): boolean {
  if (!isBatchOf(buffer, at, end, expected, endOffset)) return false;
  const following = at + batchBytesAt(buffer, at, end);
  return (
    following === bytes ||
    following === end ||
    looksLikeBatch(buffer, following, end, nextOffset(buffer, at), endOffset)
  );
}
