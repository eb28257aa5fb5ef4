import {
  Broker,
  type ClockJump,
  type DamageReport,
  type Files,
  LogError,
  MemoryFiles,
  RealFiles,
} from '../broker/index.ts';
import { decompress } from '../protocols/index.ts';
import { ServerError, type ServerErrorCode, messageOf, systemErrorCode } from './errors.ts';
import { memoryLimitBytes } from '../util/index.ts';
import { givenBudgets, type Settings } from './settings.ts';
import { SyncTimes, timedFiles } from './sync-times.ts';

const memoryShare = 0.75;

/** Where a broker keeps its data. `memory`: nothing outlives it. */
export type Storage = 'disk' | 'memory';

function filesOf(storage: Storage): Files {
  return storage === 'disk' ? new RealFiles() : new MemoryFiles();
}

/** Opens the data directory. Rejects with one sentence that says why it cannot be opened. */
export async function openBroker(
  settings: Settings,
  dir: string,
  { openFilesMax, storage }: { readonly openFilesMax: number; readonly storage: Storage },
  events: {
    readonly onFailed: (error: LogError) => void;
    readonly onDamaged: (report: DamageReport) => void;
    readonly onClockJumped?: (jump: ClockJump) => void;
  },
): Promise<{ broker: Broker; syncTimes: SyncTimes }> {
  const syncTimes = new SyncTimes();
  const { journalBytesMax } = settings;
  const journal = journalBytesMax === undefined ? {} : { journalBytesMax };
  try {
    const broker = await Broker.open({
      dir,
      files: timedFiles(filesOf(storage), syncTimes),
      log: { decompress, heartbeatMs: settings.heartbeatMs, openFilesMax, ...journal },
      watermarks: {
        diskFreeBytesMin: settings.diskFreeBytesMin,
        memoryBytesMax: settings.memoryBytesMax ?? Math.floor(memoryLimitBytes() * memoryShare),
        ...(settings.heapBytesMax === undefined ? {} : { heapBytesMax: settings.heapBytesMax }),
      },
      budgets: givenBudgets(settings),
      ...events,
    });
    return { broker, syncTimes };
  } catch (error) {
    throw openError(error, dir);
  }
}

const codeOfLogError: { readonly [code in LogError['code']]?: ServerErrorCode } = {
  'data-dir-locked': 'data-dir-in-use',
  'data-dir-read-only': 'data-dir-unusable',
  'data-dir-foreign': 'data-dir-unusable',
  'disk-full': 'data-dir-unusable',
};

const reasons: { readonly [code: string]: string } = {
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'there is a file of that name',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  ENAMETOOLONG: 'the name is too long',
};

function openError(error: unknown, dir: string): ServerError {
  const reason = reasons[systemErrorCode(error) ?? ''];
  if (error instanceof LogError) {
    const code =
      codeOfLogError[error.code] ?? (reason === undefined ? 'storage-unreadable' : 'data-dir-unusable');
    return new ServerError(code, error.message, error);
  }
  if (reason === undefined)
    return new ServerError(
      'storage-unreadable',
      `The data directory ${dir} cannot be opened: ${messageOf(error)}.`,
      error,
    );
  return new ServerError(
    'data-dir-unusable',
    `The data directory ${dir} cannot be used: ${reason} (${systemErrorCode(error)}). Choose another one with --data.`,
    error,
  );
}
