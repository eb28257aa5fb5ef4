import { runLoad } from '../load/index.ts';
import type { Case, Sample, Workbench } from './case.ts';

const schedules = 10_000;
const payloadBytes = 128;

/** Schedules of one second each run in a process by themselves; then two more processes open their data. */
async function measure(bench: Workbench, seconds: number): Promise<Sample> {
  const { scratch } = bench;
  const directory = scratch.makeDirectory();
  try {
    const ran = await runLoad({ kind: 'scheduler', directory, schedules, payloadBytes, seconds }, scratch);
    const opened = await runLoad({ kind: 'broker-opener', directory }, scratch);
    return {
      rate: (ran.messages * 1e3) / (ran.endMs - ran.startMs),
      lateUs: ran.latency?.p99Us ?? Number.NaN,
      cores: ran.cores,
      openMs: opened.endMs - opened.startMs,
    };
  } finally {
    scratch.removeDirectory(directory);
    bench.settleDisk();
  }
}

export const schedulesCase: Case = {
  id: 'schedules',
  title: 'Schedules',
  about: `${schedules} schedules that each publish a ${payloadBytes} B message every second, in a broker in a process by itself: how many are published, how late the latest is that is due (looked at every 20 ms), the cores it takes, and the start of a broker on the same data.`,
  rows: () => [
    {
      label: `${schedules} schedules of 1 s`,
      contenders: ['pillarbox'],
      metrics: [
        {
          key: 'rate',
          label: 'published',
          unit: 'msg/s',
          goals: [{ kind: 'least', value: 0.99 * schedules }],
        },
        { key: 'lateUs', label: 'latest of those due, 99th percentile', unit: 'µs' },
        { key: 'cores', label: 'cores', unit: '×' },
        {
          key: 'openMs',
          label: 'opened after a clean stop',
          unit: 'ms',
          goals: [{ kind: 'most', value: 200 }],
        },
      ],
      roundsMax: 3,
      hasWarmUp: false,
      measure: (_, bench, seconds) => measure(bench, seconds),
    },
  ],
};
