import { ByteReader, readU32 } from '../util/index.ts';
import { LogError } from './errors.ts';
import { formatVersion, formatVersionMax } from './format.ts';

const versionAt = 8;
const versionEnd = 12;

/**
 * The format version of a file that begins with `magic`; undefined if it is not ours or damaged.
 *
 * A later version is refused, whatever its length and the place of its checksum: throws `format-newer`. The
 * version itself counts as damaged only if the rest of `header` is intact for one of the known versions.
 * `isIntact` tests that, on a copy with that version.
 */
export function versionOf(
  header: Uint8Array,
  magic: string,
  what: string,
  isIntact: (header: Uint8Array, version: number) => boolean,
): number | undefined {
  if (header.length < versionEnd || new ByteReader(header).text(magic.length) !== magic) return undefined;
  const version = readU32(header, versionAt);
  if (version <= formatVersion) return version === 0 ? undefined : version;
  if (version > formatVersionMax) return undefined;
  for (let known = 1; known <= formatVersion; known++) {
    const copy = Uint8Array.from(header);
    new DataView(copy.buffer).setUint32(versionAt, known);
    if (isIntact(copy, known)) return undefined;
  }
  throw new LogError(
    'format-newer',
    `${what} was written in format ${version}; this program knows formats up to ${formatVersion}. Start a newer program; nothing was changed.`,
  );
}
