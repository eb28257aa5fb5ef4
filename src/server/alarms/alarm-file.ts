import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { systemErrorCode } from '../errors.ts';
import { ruleNames, type Alarm } from './alarm.ts';

/**
 * The file of the alarms in the data directory, beside the history. It is no part of the log: without it,
 * alarms that fire are told once more after a restart.
 */
export const alarmFileName = 'alarms.json';

const version = 1;

/** An alarm that fires, with what its topic or group remembers. Times are by the wall clock. */
export interface SavedAlarm {
  readonly alarm: Alarm;
  /** When its topic or group was created: one of the same name that was created anew is another one. */
  readonly createdMs: number | null;
  readonly memory: SavedMemory | null;
}

/** What a topic or a group remembers, as far as its alarms need it after a restart. */
export type SavedMemory =
  | {
      readonly kind: 'group';
      readonly aliveMs: number;
      readonly oldestAgeMs: number | null;
      readonly growth: {
        readonly fromMs: number;
        readonly from: number;
        readonly peakMs: number;
        readonly peak: number;
      } | null;
      readonly failures: {
        readonly share: number;
        readonly failed: number;
        readonly delivered: number;
      } | null;
    }
  | { readonly kind: 'topic'; readonly letters: number; readonly sinceMs: number; readonly lastMs: number };

/** Writes the file beside its place, and renames it. */
export async function writeAlarms(path: string, alarms: readonly SavedAlarm[]): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, JSON.stringify({ version, alarms }), { mode: 0o600 });
  await rename(temporary, path).catch(async (error: unknown) => {
    await unlink(temporary).catch(() => {});
    throw error;
  });
}

/** The alarms of an earlier run. Throws an Error that says why, if there is a file that cannot be used. */
export async function readAlarms(path: string): Promise<readonly SavedAlarm[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const content = JSON.parse(text) as { readonly version?: unknown; readonly alarms?: unknown };
  if (content.version !== version || !Array.isArray(content.alarms))
    throw new Error(`it has version ${String(content.version)}`);
  // Rules may be gone with another version of the broker.
  return (content.alarms as SavedAlarm[]).filter(({ alarm }) => ruleNames.includes(alarm.rule));
}
