import type { Check } from './check.ts';

const nodeMin = [20, 19] as const;
const openFilesMin = 4096;

/** The minimum version is the `engines` of package.json. */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  const message = `Node ${version}`;
  return isEnough
    ? { name: 'node', status: 'ok', message }
    : { name: 'node', status: 'problem', message, advice: `Install Node ${nodeMin.join('.')} or newer.` };
}

export function checkPlatform(platform: NodeJS.Platform): Check {
  const message = `${platform} ${process.arch}`;
  if (platform === 'linux' || platform === 'darwin') return { name: 'platform', status: 'ok', message };
  return {
    name: 'platform',
    status: 'warning',
    message,
    advice: 'Linux is what Pillarbox is built and tested on; macOS works; others are untried.',
  };
}

interface LimitsReport {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
}

/** Every connection is an open file, and so is every segment being read. */
export function checkOpenFiles(): Check {
  const { userLimits } = process.report.getReport() as LimitsReport;
  const soft = userLimits?.open_files?.soft;
  if (typeof soft !== 'number')
    return {
      name: 'open files',
      status: 'ok',
      message: soft === undefined ? 'limit unknown' : `limit ${soft}`,
    };
  const message = `limit ${soft}`;
  const figures = { openFilesMax: soft };
  return soft >= openFilesMin
    ? { name: 'open files', status: 'ok', message, figures }
    : {
        name: 'open files',
        status: 'warning',
        message,
        figures,
        advice: `Raise it to ${openFilesMin} or more (ulimit -n, or LimitNOFILE= of the unit) to take many connections.`,
      };
}
