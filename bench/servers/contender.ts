import type { Scratch } from '../scratch.ts';
import type { ServerProcess } from './server-process.ts';

export type ContenderName = 'pillarbox' | 'before' | 'nats-server' | 'nats-server, synced' | 'kafka';

/** Contender is a server that the bench can measure: all that a case knows of it. */
export interface Contender {
  readonly name: ContenderName;
  /** Name and version, for the results. */
  readonly version: string;
  /** Starts a process on a data directory, new or left by an earlier process; resolves when it serves. */
  start(directory: string, scratch: Scratch): Promise<ServerProcess>;
  /**
   * Bytes that a restart has to read after a crash: the journal, or all of it where there is no such thing.
   */
  recoverableBytes(directory: string): number;
}
