import { readCommitHeader, type CommitHeader } from './commit.ts';
import type { Files } from './files.ts';
import { alignUp, blockBytes } from './format.ts';
import type { ListedFile } from './journal-chain.ts';

const chunkBytesMax = 4 * 2 ** 20;

/** Called with every commit whose header is intact, in order. `buffer` is reused after the call. */
export type FoundCommit = (buffer: Buffer, start: number, header: CommitHeader, file: ListedFile) => void;

/**
 * Reads the journal from `position` on and finds every commit with an intact header, skipping the bytes
 * between. A commit is recognised by its position, its log's tag and its checksum, and starts at a block.
 *
 * `afterChunk` is awaited after each few megabytes.
 */
export async function scanJournal(
  files: Files,
  journalFiles: readonly ListedFile[],
  position: number,
  tag: number,
  found: FoundCommit,
  afterChunk: () => Promise<void>,
): Promise<void> {
  const largest = journalFiles.reduce((bytes, { capacity }) => Math.max(bytes, capacity), blockBytes);
  const chunkBytes = Math.min(chunkBytesMax, alignUp(largest));
  /** The chunk being scanned, and the one being read meanwhile; each has room for a rest in front of it. */
  let buffer: Buffer = Buffer.allocUnsafeSlow(2 * chunkBytes);
  let other: Buffer = Buffer.allocUnsafeSlow(2 * chunkBytes);
  for (const journalFile of journalFiles) {
    const end = journalFile.readEnd;
    if (end <= position) continue;
    const file = await files.open(journalFile.path);
    const readChunk = (target: Buffer, at: number, from: number): Promise<number> => {
      const bytes = Math.min(chunkBytes, end - from);
      return bytes > 0
        ? file.read(target.subarray(at, at + bytes), from - journalFile.start)
        : Promise.resolve(0);
    };
    try {
      /** `buffer[start, stop)` is the journal from `base` on. */
      let base = Math.max(position, journalFile.start + blockBytes);
      let start = chunkBytes;
      let stop = start + (await readChunk(buffer, start, base));
      while (start < stop) {
        const reading = readChunk(other, chunkBytes, base + stop - start);
        let needed = 0;
        while (start < stop && needed === 0) {
          const header = readCommitHeader(buffer, start, stop, base, tag);
          let bytes = typeof header === 'number' ? header : header === undefined ? 0 : alignUp(header.length);
          if (start + bytes > stop && base + bytes <= end) needed = bytes;
          else {
            if (typeof header === 'object' && start + bytes <= stop)
              found(buffer, start, header, journalFile);
            else bytes = blockBytes;
            start += bytes;
            base += bytes;
          }
        }
        const [more] = await Promise.all([reading, afterChunk()]);
        if (needed > 0 && more === 0) {
          // The file ends here: this only looked like a commit, or is not complete. Go on after it.
          start += blockBytes;
          base += blockBytes;
          continue;
        }
        const rest = Math.max(0, stop - start);
        if (rest > chunkBytes || needed > rest + chunkBytes) {
          // A commit larger than a chunk.
          const larger = Buffer.allocUnsafeSlow(Math.max(2 * chunkBytes, 2 * alignUp(needed)));
          buffer.copy(larger, 0, start, stop);
          other.copy(larger, rest, chunkBytes, chunkBytes + more);
          let filled = rest + more;
          while (filled < needed) {
            const read = await file.read(larger.subarray(filled, needed), base + filled - journalFile.start);
            if (read === 0) break;
            filled += read;
          }
          buffer = larger;
          start = 0;
          stop = filled;
          continue;
        }
        buffer.copy(other, chunkBytes - rest, start, stop);
        [buffer, other] = [other, buffer];
        start = chunkBytes - rest;
        stop = chunkBytes + more;
        if (other.length > 2 * chunkBytes) other = Buffer.allocUnsafeSlow(2 * chunkBytes);
      }
    } finally {
      await file.close();
    }
  }
}
