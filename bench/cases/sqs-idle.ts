import { setTimeout as delay } from 'node:timers/promises';
import { Load, runLoad } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { coresKeys, withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { residentMb, restMs, withFreshServer } from './memory.ts';
import { fill, sendTo, sqsServers, withSqsQueue } from './sqs-queue.ts';

const payloadBytes = 100;
const longestVisibilitySeconds = 12 * 3600;
const workSeconds = 120;

function measurePolls(contender: Contender, bench: Workbench): Promise<Sample> {
  return withFreshServer(contender, bench, (server) =>
    withSqsQueue({ server, bench }, async ({ port, queueUrl }) => {
      await delay(restMs);
      const beforeMb = residentMb(server);
      const { sqsPolls: polls, sqsPollSeconds: seconds } = bench.settings;
      const load = Load.start({ kind: 'sqs-poller', port, queueUrl, polls, seconds }, bench.scratch);
      return withLoads([load], async ([poller]) => {
        await delay(restMs);
        return withCores(server, async () => {
          poller!.go();
          const report = await poller!.report();
          return { sample: { addedMb: residentMb(server) - beforeMb }, reports: [report] };
        });
      });
    }),
  );
}

export const sqsPollsCase: Case = {
  id: 'sqs-polls',
  title: 'SQS: idle long polls',
  about:
    'Processor cores that the server uses for so many long polls of one empty queue, 20 s each and begun again when they end, and the memory that they add.',
  rows: ({ sqsPolls, sqsPollSeconds }) => [
    {
      label: `${sqsPolls.toLocaleString('en')} polls, ${sqsPollSeconds} s`,
      contenders: sqsServers,
      metrics: [
        { key: coresKeys.server, label: 'cores', unit: 'cores', goals: [{ kind: 'most', value: 0.02 }] },
        { key: 'addedMb', label: 'memory added', unit: 'MB' },
      ],
      roundsMax: 3,
      hasWarmUp: false,
      measure: measurePolls,
    },
  ],
};

function measureInFlight(contender: Contender, bench: Workbench): Promise<Sample> {
  const { sqsInFlight: messages } = bench.settings;
  const environment = { PILLARBOX_SQS_IN_FLIGHT_MAX: `${messages}` };
  return withFreshServer(
    contender,
    bench,
    (server) =>
      withSqsQueue({ server, bench }, async (queue) => {
        const sent = await sendTo(queue, bench, { ...fill, payloadBytes, seconds: workSeconds, messages });
        if (sent.messages < messages)
          throw new Error(`it took only ${sent.messages} of ${messages} messages in ${workSeconds} s`);
        await delay(restMs);
        const beforeMb = residentMb(server);
        const { port, queueUrl, admin } = queue;
        const receive = { kind: 'sqs-receiver', port, queueUrl, window: 16, deletes: false } as const;
        const visibilitySeconds = longestVisibilitySeconds;
        await runLoad({ ...receive, visibilitySeconds, seconds: workSeconds, messages }, bench.scratch);
        await admin.requireCount(queueUrl, { visible: 0, inFlight: messages });
        await delay(restMs);
        const afterMb = residentMb(server);
        const peakMb = server.memory.peakBytes / 1e6;
        return { beforeMb, afterMb, addedMb: afterMb - beforeMb, peakMb };
      }),
    environment,
  );
}

export const sqsInFlightCase: Case = {
  id: 'sqs-in-flight',
  title: 'SQS: memory with messages in flight',
  about: `Resident memory of the server before and ${restMs / 1e3} s after so many messages of ${payloadBytes} B, which a standard queue holds, were all received and not deleted.`,
  rows: ({ sqsInFlight }) => [
    {
      label: `${sqsInFlight.toLocaleString('en')} messages`,
      contenders: sqsServers,
      metrics: [
        { key: 'beforeMb', label: 'before', unit: 'MB' },
        { key: 'afterMb', label: 'after', unit: 'MB' },
        { key: 'addedMb', label: 'added', unit: 'MB', goals: [{ kind: 'most', value: 300 }] },
        { key: 'peakMb', label: 'peak', unit: 'MB' },
      ],
      roundsMax: 1,
      hasWarmUp: false,
      measure: measureInFlight,
    },
  ],
};
