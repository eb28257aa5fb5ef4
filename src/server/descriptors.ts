import { readFileSync } from 'node:fs';

/** The shares of the process's file descriptors, so that connections never take those that the log needs. */
export interface DescriptorShares {
  /** Connections of all protocols. */
  readonly connectionsMax: number;
  readonly adminConnectionsMax: number;
  /** Open segment files of the log. */
  readonly openFilesMax: number;
  /**
   * Whether descriptors are so few that loading code later might fail. Node does not load a module again
   * after a failure.
   */
  readonly isScarce: boolean;
}

/**
 * For journal, checkpoint, lock, listening sockets and their copies, the event loop's own, modules, and
 * connections that are being refused.
 */
const reserved = 128;
/**
 * With fewer descriptors than this, loading code may fail, because dozens of its many small files are open at
 * the same time.
 */
const plenty = 512;
const openFilesWanted = 2048;
const adminConnectionsWanted = 512;
const connectionsWanted = 65_536;

/**
 * Shares out few descriptors: a quarter for the log's files, an eighth for the admin HTTP, the rest for
 * connections.
 */
export function shareDescriptors(descriptorsMax: number): DescriptorShares {
  const rest = Math.max(32, descriptorsMax - reserved);
  const openFilesMax = Math.max(8, Math.min(openFilesWanted, Math.floor(rest / 4)));
  const adminConnectionsMax = Math.max(4, Math.min(adminConnectionsWanted, Math.floor(rest / 8)));
  const connectionsMax = Math.max(4, Math.min(connectionsWanted, rest - openFilesMax - adminConnectionsMax));
  return { connectionsMax, adminConnectionsMax, openFilesMax, isScarce: descriptorsMax < plenty };
}

/** How many descriptors the process may have open; Infinity if the system does not say. */
export function descriptorsMax(): number {
  return fromProc() ?? fromReport() ?? Infinity;
}

function fromProc(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Slower; for systems without /proc. */
function fromReport(): number | undefined {
  try {
    const { userLimits } = process.report.getReport() as {
      readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
    };
    const soft = userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : undefined;
  } catch {
    return undefined;
  }
}
