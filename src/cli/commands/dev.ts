import type { Command } from 'commander';
import { configureServer } from './serve.ts';

/** `pillarbox dev`: a broker for development. Its data is in memory, and it listens on this machine only. */
export async function configure(command: Command): Promise<void> {
  await configureServer(command, 'memory');
}
