import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerProcess } from './broker-process.ts';

/** A `pillarbox serve` that is not started yet, on an empty data directory below `directory`. */
export async function serveIn(
  directory: string,
  { args = [], nodeArgs }: { readonly args?: readonly string[]; readonly nodeArgs: readonly string[] },
): Promise<BrokerProcess> {
  const dataDirectory = join(directory, 'data');
  await mkdir(dataDirectory);
  return new BrokerProcess({
    kind: 'serve',
    dataDirectory,
    workDirectory: directory,
    args: ['--log-level', 'error', ...args],
    nodeArgs,
  });
}
