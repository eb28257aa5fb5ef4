import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ProtocolName } from '../protocols/settings.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';

/**
 * The content of the ports file: one line of JSON with a port for each protocol that is switched on, by its
 * name.
 */
export type Ports = { readonly pid: number; readonly admin: number } & {
  readonly [name in ProtocolName]?: number;
};

/** Writes the file under another name and renames it, so that a waiting reader never sees half of it. */
export async function writePortsFile(file: string, ports: Ports): Promise<void> {
  const path = resolve(file);
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, `${JSON.stringify(ports)}\n`);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw new ServerError(
      'ports-file-unwritable',
      `The ports file ${path} cannot be written (${systemErrorCode(error) ?? messageOf(error)}); ` +
        'check that its directory exists and is writable, or leave --ports-file out.',
      error,
    );
  }
}

export async function removePortsFile(file: string): Promise<void> {
  // A path that cannot be removed (a directory, a place without access) is left for the later write to
  // report.
  await rm(resolve(file), { force: true }).catch(() => {});
}
