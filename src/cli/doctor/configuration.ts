import { stat } from 'node:fs/promises';
import type { Check, Examination } from './check.ts';

/** Reads the configuration as `serve` would. Without valid settings no other check can run. */
export async function checkConfiguration(options: {
  readonly data: string | undefined;
  readonly config: string | undefined;
}): Promise<{ checks: readonly Check[]; settings: Examination | undefined }> {
  const { readServeSettings } = await import('../settings.ts');
  try {
    const { settings, file, warnings, limits, hasSecrets } = await readServeSettings(options);
    return {
      checks: [
        {
          name: 'configuration',
          status: warnings.length > 0 ? 'warning' : 'ok',
          message:
            file === undefined
              ? 'no configuration file; flags, environment and defaults'
              : `read from ${file}`,
          ...(warnings.length > 0 ? { advice: warnings.join(' ') } : {}),
        },
        ...(file === undefined || !hasSecrets ? [] : await checkSecrets(file)),
        {
          name: 'limits',
          status: 'ok',
          message: Object.entries(limits)
            .map(([budget, limit]) => `${budget} ${limit}`)
            .join(', '),
          figures: limits,
        },
      ],
      settings,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { checks: [{ name: 'configuration', status: 'problem', message }], settings: undefined };
  }
}

/** A file with passwords that every user of the machine can read. */
async function checkSecrets(file: string): Promise<readonly Check[]> {
  const { mode } = await stat(file);
  if ((mode & 0o004) === 0) return [];
  return [
    {
      name: 'secrets',
      status: 'warning',
      message: `${file} holds passwords or tokens, and every user of this machine can read it`,
      advice: `Run chmod o-r ${file}, and hash the passwords with "pillarbox user hash".`,
    },
  ];
}
