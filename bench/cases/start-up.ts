import type { Contender } from '../servers/index.ts';
import { both, type Case, type Sample, type Workbench } from './case.ts';

async function measure(contender: Contender, { scratch }: Workbench): Promise<Sample> {
  const directory = scratch.makeDirectory();
  try {
    const server = await contender.start(directory, scratch);
    await server.stop();
    return { readyMs: server.readyMs };
  } finally {
    scratch.removeDirectory(directory);
  }
}

export const startUpCase: Case = {
  id: 'start-up',
  title: 'Start-up',
  about: 'From the start of the process on an empty data directory until it answers its first PING.',
  rows: () => [
    {
      label: 'empty data directory',
      contenders: both,
      metrics: [{ key: 'readyMs', unit: 'ms', goals: [{ kind: 'most', value: 300 }] }],
      hasWarmUp: true,
      measure,
    },
  ],
};
