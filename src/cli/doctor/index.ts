import { checkAddresses } from './addresses.ts';
import type { Check, Examination } from './check.ts';
import { checkConfiguration } from './configuration.ts';
import { checkDataDirectory } from './data-directory.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { checkNode, checkOpenFiles, checkPlatform } from './machine.ts';
import { checkSetAside } from './stored-data.ts';

export type { Check } from './check.ts';
export { repair } from './repair.ts';

export interface DoctorOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
}

/**
 * All checks, from the machine to the broker that may be running on it. A finding does not stop the later
 * checks.
 */
export async function checkMachine(options: DoctorOptions): Promise<readonly Check[]> {
  const { checks, settings } = await checkConfiguration(options);
  const examination: Examination | undefined = settings;
  return [
    checkNode(process.versions.node),
    checkPlatform(process.platform),
    checkOpenFiles(),
    ...checks,
    ...(examination === undefined
      ? []
      : [
          ...(await checkDataDirectory(examination)),
          ...(await checkSetAside(examination)),
          ...(await checkAddresses(examination)),
        ]),
  ];
}

/** The data directory that `serve` would use. */
export async function dataDirectoryOf(options: DoctorOptions): Promise<string> {
  const { checks, settings } = await checkConfiguration(options);
  if (settings) return settings.data;
  throw new CliError(exitCode.configuration, checks.map(({ message }) => message).join(' '));
}
