import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The bytes of all files below a directory whose relative path satisfies `isWanted`. */
export function bytesBelow(directory: string, isWanted: (path: string) => boolean = () => true): number {
  if (!existsSync(directory)) return 0;
  let bytes = 0;
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(directory, path), { throwIfNoEntry: false });
    if (stat?.isFile() === true && isWanted(path)) bytes += stat.size;
  }
  return bytes;
}
