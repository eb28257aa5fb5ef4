import { cpus, release, totalmem, type } from 'node:os';
import { fileSystemOf, syncLatencyUs } from './disk.ts';
import type { Scratch } from './scratch.ts';

/** The properties of the machine that the figures depend on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly fileSystem: string;
  readonly syncLatencyUs: number;
}

export function describeMachine(scratch: Scratch): Machine {
  const processors = cpus();
  const directory = scratch.makeDirectory();
  try {
    return {
      processor: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGib: Math.round(totalmem() / 2 ** 30),
      kernel: `${type()} ${release()}`,
      node: process.version,
      fileSystem: fileSystemOf(directory),
      syncLatencyUs: Math.round(syncLatencyUs(directory)),
    };
  } finally {
    scratch.removeDirectory(directory);
  }
}

export function machineLines(machine: Machine): string[][] {
  return [
    ['Processor', `${machine.processor}, ${machine.cores} cores`],
    ['Memory', `${machine.memoryGib} GiB`],
    ['System', machine.kernel],
    ['Node', machine.node],
    ['Disk', `${machine.fileSystem}; write of 4 KiB and fdatasync, median ${machine.syncLatencyUs} µs`],
  ];
}
