import { readCommitHeader, type CommitHeader } from './commit.ts';
import type { Files } from './files.ts';
import { alignUp, blockBytes } from './format.ts';
import type { JournalFile } from './journal.ts';

const chunkBytes = 4 * 2 ** 20;

/** Is handed every commit whose header is intact, in order. `buffer` is used again after the call. */
export type FoundCommit = (buffer: Buffer, start: number, header: CommitHeader, file: JournalFile) => void;

/**
 * Reads the journal from `position` on and finds every commit with an intact header, passing over what lies between them: a commit proves itself by
 * its position, its log's tag and its checksum, and stands at the start of a block.
 *
 * `afterChunk` is awaited after each few megabytes.
 */
export async function scanJournal(
  files: Files,
  journalFiles: readonly JournalFile[],
  position: number,
  tag: number,
  found: FoundCommit,
  afterChunk: () => Promise<void>,
): Promise<void> {
  let buffer: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (const journalFile of journalFiles) {
    const end = journalFile.start + journalFile.capacity;
    if (end <= position) continue;
    const file = await files.open(journalFile.path);
    try {
      /** Journal position of `buffer[0]`. */
      let base = Math.max(position, journalFile.start + blockBytes);
      let filled = 0;
      while (base < end) {
        const wanted = Math.min(buffer.length - filled, end - base - filled);
        const count = await file.read(buffer.subarray(filled, filled + wanted), base + filled - journalFile.start);
        filled += count;
        const isLast = base + filled >= end || count === 0;
        let at = 0;
        let needed = 0;
        while (at < filled) {
          const header = readCommitHeader(buffer, at, filled, base + at, tag);
          const bytes = typeof header === 'number' ? header : header === undefined ? 0 : alignUp(header.length);
          if (at + bytes > filled && base + at + bytes <= end && !isLast) {
            needed = bytes;
            break;
          }
          if (typeof header === 'object' && at + bytes <= filled) {
            found(buffer, at, header, journalFile);
            at += bytes;
          } else at += blockBytes;
        }
        await afterChunk();
        if (at >= filled) at = filled;
        // What is left starts the next chunk, in a larger buffer if a commit asks for one.
        const rest = filled - at;
        if (needed > buffer.length) {
          const larger = Buffer.allocUnsafeSlow(alignUp(needed) + chunkBytes);
          buffer.copy(larger, 0, at, filled);
          buffer = larger;
        } else buffer.copy(buffer, 0, at, filled);
        base += at;
        filled = rest;
        if (isLast) break;
      }
    } finally {
      await file.close();
    }
  }
}
