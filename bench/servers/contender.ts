import type { Scratch } from '../scratch.ts';
import type { ServerProcess } from './server-process.ts';

export type ContenderName =
  | 'pillarbox'
  | 'before'
  | 'users'
  | 'configured'
  | 'nats-server'
  | 'nats-server, synced'
  | 'kafka'
  | 'rabbitmq'
  | 'rabbitmq, quorum'
  | 'fauxqs'
  | 'fauxqs, SQLite'
  | 'elasticmq'
  | 'elasticmq, H2';

/** Environment variables. */
export interface Environment {
  readonly [name: string]: string;
}

/** A contender is a server that the bench can measure. */
export interface Contender {
  readonly name: ContenderName;
  /** Name and version, for the results. */
  readonly version: string;
  /**
   * Starts a process on a data directory, new or left by an earlier process; resolves when it serves.
   * `environment`: settings of Pillarbox that differ from those of other cases.
   */
  start(directory: string, scratch: Scratch, environment?: Environment): Promise<ServerProcess>;
  /** Bytes that a restart has to read after a crash: the journal, or all data if there is no journal. */
  recoverableBytes(directory: string): number;
}
