import { readFile } from 'node:fs/promises';

/** The result of comparing the workers' logs with the records. */
export interface Tally {
  /** Records handled at least once. */
  readonly handled: number;
  /** Records that no worker handled. */
  readonly missing: number;
  /** Log lines about records that were never published, or that have other content. */
  readonly invented: number;
  /** Records handled twice, and more often. */
  readonly twice: number;
  readonly more: number;
}

/** Compares the logs with the records that were published. */
export async function tally(records: readonly string[], logPaths: readonly string[]): Promise<Tally> {
  const times = new Uint32Array(records.length);
  let invented = 0;
  for (const path of logPaths) {
    for (const line of completeLines(await logOf(path))) {
      const [id = '', content = ''] = line.split('\t');
      const at = /^\d+$/.test(id) ? Number(id) : -1;
      if (records[at] === content) times[at]!++;
      else invented++;
    }
  }
  const count = (wanted: (times: number) => boolean): number =>
    times.reduce((sum, n) => sum + (wanted(n) ? 1 : 0), 0);
  return {
    handled: count((n) => n > 0),
    missing: count((n) => n === 0),
    invented,
    twice: count((n) => n === 2),
    more: count((n) => n > 2),
  };
}

/** A killed worker may leave half a line; that record was not acked. */
function completeLines(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines;
}

/** Empty if the worker has handled nothing, and so has no log: the others may have been quicker. */
async function logOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
