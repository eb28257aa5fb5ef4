import type { SettingsJson } from '../../admin-api/index.ts';
import { shownSettings } from '../config-report.ts';
import { type AdminContext, checkMayAll } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';

/** Shows every setting with its value and its source; secrets are masked. */
export function showSettings(
  { access }: AdminRequest,
  { configuration }: AdminContext,
): JsonReply<SettingsJson> {
  checkMayAll('manage', access);
  const settings = shownSettings(configuration).map(({ inForce = null, ...setting }) => ({
    ...setting,
    inForce,
  }));
  return json({ file: configuration.file ?? null, settings });
}
