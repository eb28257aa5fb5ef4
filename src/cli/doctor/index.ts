import { checkAddresses } from './addresses.ts';
import type { Check, Examination } from './check.ts';
import { checkConfiguration } from './configuration.ts';
import { checkDataDirectory } from './data-directory.ts';
import { checkNode, checkOpenFiles, checkPlatform } from './machine.ts';

export type { Check, CheckStatus } from './check.ts';

export interface DoctorOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
}

/** All checks, from the machine to the broker that may be running on it. Each goes on whatever the others found. */
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
      : [...(await checkDataDirectory(examination)), ...(await checkAddresses(examination))]),
  ];
}
