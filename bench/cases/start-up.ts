import type { Contender, Environment } from '../servers/index.ts';
import { spreadOf } from '../statistics.ts';
import { both, type Case, type Sample, type Workbench } from './case.ts';

async function startOnce(
  contender: Contender,
  { scratch }: Workbench,
  environment: Environment = {},
): Promise<number> {
  const directory = scratch.makeDirectory();
  try {
    const server = await contender.start(directory, scratch, environment);
    await server.stop();
    return server.readyMs;
  } finally {
    scratch.removeDirectory(directory);
  }
}

const allDoors: Environment = {
  PILLARBOX_AMQP_PORT: '0',
  PILLARBOX_AMQP_ADMIN_PORT: '0',
  PILLARBOX_SQS_PORT: '0',
};
const withoutAmqp: Environment = {
  ...allDoors,
  PILLARBOX_AMQP_PORT: 'off',
  PILLARBOX_AMQP_ADMIN_PORT: 'off',
};
const withoutSqs: Environment = { ...allDoors, PILLARBOX_SQS_PORT: 'off' };
/** Starts of each kind in one measurement, in turn: one alone differs by more than what is looked for. */
const startsOfEach = 5;

/** What a protocol adds to the start: the difference between two medians. */
async function measureDoors(contender: Contender, bench: Workbench): Promise<Sample> {
  const [all, noAmqp, noSqs]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < startsOfEach; i++) {
    all.push(await startOnce(contender, bench, allDoors));
    noAmqp.push(await startOnce(contender, bench, withoutAmqp));
    noSqs.push(await startOnce(contender, bench, withoutSqs));
  }
  const [allMs, noAmqpMs, noSqsMs] = [all, noAmqp, noSqs].map((times) => spreadOf(times).median) as [
    number,
    number,
    number,
  ];
  return { allMs, amqpMs: allMs - noAmqpMs, sqsMs: allMs - noSqsMs };
}

export const startUpCase: Case = {
  id: 'start-up',
  title: 'Start-up',
  about:
    'From the start of the process on an empty data directory until it answers its first PING, and what AMQP with its ' +
    `management and SQS add to that, each by ${startsOfEach} starts with them and as many without.`,
  rows: () => [
    {
      label: 'empty data directory',
      contenders: both,
      metrics: [{ key: 'readyMs', unit: 'ms', goals: [{ kind: 'most', value: 300 }] }],
      hasWarmUp: true,
      measure: async (contender, bench) => ({ readyMs: await startOnce(contender, bench) }),
    },
    {
      label: 'every protocol',
      contenders: ['pillarbox'],
      metrics: [
        { key: 'allMs', unit: 'ms', goals: [{ kind: 'most', value: 300 }] },
        { key: 'amqpMs', label: 'of it AMQP', unit: 'ms', goals: [{ kind: 'most', value: 20 }] },
        { key: 'sqsMs', label: 'of it SQS', unit: 'ms', goals: [{ kind: 'most', value: 20 }] },
      ],
      hasWarmUp: false,
      measure: measureDoors,
    },
  ],
};
