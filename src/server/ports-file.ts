import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';

/** What the ports file holds: one line of JSON. Later protocols add their keys. */
export interface Ports {
  readonly pid: number;
  readonly nats: number;
  /** Absent when Kafka is off. */
  readonly kafka?: number;
  readonly admin: number;
}

/** Writes the file under another name and renames it, so that whoever waits for it never reads half of it. */
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
  // What is no file of ours (a directory, a place without access) is left for the writing to complain about.
  await rm(resolve(file), { force: true }).catch(() => {});
}
