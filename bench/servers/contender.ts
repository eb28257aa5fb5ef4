import type { Scratch } from '../scratch.ts';
import type { ServerProcess } from './server-process.ts';

export type ContenderName =
  | 'pillarbox'
  | 'before'
  | 'users'
  | 'nats-server'
  | 'nats-server, synced'
  | 'kafka'
  | 'rabbitmq'
  | 'rabbitmq, quorum';

/** A contender is a server that the bench can measure. */
export interface Contender {
  readonly name: ContenderName;
  /** Name and version, for the results. */
  readonly version: string;
  /** Starts a process on a data directory, new or left by an earlier process; resolves when it serves. */
  start(directory: string, scratch: Scratch): Promise<ServerProcess>;
  /** Bytes that a restart has to read after a crash: the journal, or all data if there is no journal. */
  recoverableBytes(directory: string): number;
}
