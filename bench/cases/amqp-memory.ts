import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { amqpPortOf, publishAll, rabbits, withQueueAdmin } from './amqp-queue.ts';
import { withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { residentMb, restMs, withFreshServer } from './memory.ts';

const payloadBytes = 128;
const queue = 'bench-backlog';

function measureConnections(contender: Contender, bench: Workbench): Promise<Sample> {
  return withFreshServer(contender, bench, async (server) => {
    await delay(restMs);
    const beforeMb = residentMb(server);
    const { amqpConnections: connections } = bench.settings;
    const job = { kind: 'amqp-connections', port: amqpPortOf(server), connections } as const;
    return withLoads([Load.start(job, bench.scratch)], async () => {
      await delay(restMs);
      const afterMb = residentMb(server);
      return { beforeMb, afterMb, addedMb: afterMb - beforeMb };
    });
  });
}

function measureBacklog(contender: Contender, bench: Workbench): Promise<Sample> {
  return withFreshServer(contender, bench, (server) =>
    withQueueAdmin(contender, server, async (admin) => {
      await admin.declare(queue);
      await delay(restMs);
      const beforeMb = residentMb(server);
      const { backlogMessages: messages } = bench.settings;
      await publishAll(queue, { port: amqpPortOf(server), payloadBytes, messages }, { admin, bench });
      const peakMb = server.memory.peakBytes / 1e6;
      await delay(restMs);
      const afterMb = residentMb(server);
      return { beforeMb, afterMb, addedMb: afterMb - beforeMb, peakMb };
    }),
  );
}

const added = [
  { key: 'beforeMb', label: 'before', unit: 'MB' },
  { key: 'afterMb', label: 'after', unit: 'MB' },
] as const;

export const amqpConnectionsCase: Case = {
  id: 'amqp-connections',
  title: 'AMQP: idle connections',
  about: `Resident memory of the server before and ${restMs / 1e3} s after so many connections were opened, with a channel each, that do nothing.`,
  rows: ({ amqpConnections }) => [
    {
      label: `${amqpConnections.toLocaleString('en')} connections`,
      contenders: rabbits,
      metrics: [
        ...added,
        { key: 'addedMb', label: 'added', unit: 'MB', goals: [{ kind: 'most', value: 400 }] },
      ],
      roundsMax: 1,
      hasWarmUp: false,
      measure: measureConnections,
    },
  ],
};

export const amqpBacklogCase: Case = {
  id: 'amqp-backlog',
  title: 'AMQP: memory with a backlog',
  about: `Resident memory of the server before and ${restMs / 1e3} s after so many persistent messages of ${payloadBytes} B were published to a durable queue without a consumer.`,
  rows: ({ backlogMessages }) => [
    {
      label: `${backlogMessages.toLocaleString('en')} messages`,
      contenders: rabbits,
      metrics: [
        ...added,
        { key: 'addedMb', label: 'added', unit: 'MB', goals: [{ kind: 'most', value: 200 }] },
        { key: 'peakMb', label: 'peak while publishing', unit: 'MB' },
      ],
      roundsMax: 1,
      hasWarmUp: false,
      measure: measureBacklog,
    },
  ],
};
