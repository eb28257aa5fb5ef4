import { setTimeout as delay } from 'node:timers/promises';
import { errorName, ErrorCode } from '../../src/wire/kafka/index.ts';
import { KafkaSocket } from '../load/kafka-socket.ts';
import { Load } from '../load/index.ts';
import { coresKeys, withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { kafkaPortOf, kafkas } from './kafka.ts';
import { residentMb, restMs, withFreshServer } from './memory.ts';
import type { Contender, ServerProcess } from '../servers/index.ts';

const partitionsPerTopic = 1000;
const membersPerGroup = 10;
/** Long enough for several heartbeats of every member. */
const watchedSeconds = 12;
const createTimeoutMs = 300_000;

async function createTopic(server: ServerProcess, name: string, numPartitions: number): Promise<void> {
  const socket = await KafkaSocket.connect(kafkaPortOf(server), () => {});
  try {
    const { topics } = await socket.call('CreateTopics', 4, {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: createTimeoutMs,
      validateOnly: false,
    });
    const errorCode = topics[0]?.errorCode ?? ErrorCode.NONE;
    if (errorCode !== ErrorCode.NONE) throw new Error(`no topic ${name}: ${errorName(errorCode)}`);
  } finally {
    socket.end();
  }
}

function measurePartitions(contender: Contender, bench: Workbench, partitions: number): Promise<Sample> {
  return withFreshServer(contender, bench, async (server) => {
    await delay(restMs);
    const beforeMb = residentMb(server);
    const startMs = performance.now();
    for (let made = 0; made < partitions; made += partitionsPerTopic)
      await createTopic(server, `bench-${made}`, Math.min(partitionsPerTopic, partitions - made));
    const createMs = performance.now() - startMs;
    await delay(restMs);
    const afterMb = residentMb(server);
    const usedSeconds = server.cpuSeconds;
    await delay(watchedSeconds * 1e3);
    const cores = (server.cpuSeconds - usedSeconds) / watchedSeconds;
    return { beforeMb, afterMb, addedMb: afterMb - beforeMb, createMs, [coresKeys.server]: cores };
  });
}

function measureMembers(
  contender: Contender,
  bench: Workbench,
  { members, fetches }: { readonly members: number; readonly fetches: boolean },
): Promise<Sample> {
  return withFreshServer(contender, bench, async (server) => {
    const topic = 'bench-members';
    await createTopic(server, topic, membersPerGroup);
    await delay(restMs);
    const beforeMb = residentMb(server);
    const load = Load.start(
      {
        kind: 'kafka-members',
        port: kafkaPortOf(server),
        topic,
        groups: Math.ceil(members / membersPerGroup),
        membersPerGroup,
        fetches,
        seconds: watchedSeconds,
      },
      bench.scratch,
    );
    return withLoads([load], ([all]) =>
      withCores(server, async () => {
        all!.go();
        const report = await all!.report();
        const afterMb = residentMb(server);
        return { sample: { beforeMb, afterMb, addedMb: afterMb - beforeMb }, reports: [report] };
      }),
    );
  });
}

const memoryMetrics = [
  { key: 'beforeMb', label: 'before', unit: 'MB' },
  { key: 'afterMb', label: 'after', unit: 'MB' },
  { key: 'addedMb', label: 'added', unit: 'MB' },
] as const;

export const kafkaScaleCase: Case = {
  id: 'kafka-scale',
  title: 'Kafka: many partitions, many idle members',
  about:
    `Resident memory before and after, and the processor time that ${watchedSeconds} s cost in which nothing is published. Topics have ${partitionsPerTopic} partitions, groups ` +
    `${membersPerGroup} members, of the classic protocol, that heartbeat every 3 s; in the last row they also wait for messages, 500 ms a fetch, as clients do by default.`,
  rows: ({ kafkaPartitions, kafkaMembers }) => [
    {
      label: `${kafkaPartitions.toLocaleString('en')} partitions`,
      contenders: kafkas,
      metrics: [...memoryMetrics, { key: 'createMs', label: 'time to create', unit: 'ms' }],
      roundsMax: 1,
      hasWarmUp: false,
      measure: (contender, bench) => measurePartitions(contender, bench, kafkaPartitions),
    },
    ...[false, true].map((fetches) => ({
      label: `${kafkaMembers.toLocaleString('en')} members${fetches ? ' that fetch' : ''}`,
      contenders: kafkas,
      metrics: memoryMetrics,
      roundsMax: 1,
      hasWarmUp: false,
      measure: (contender: Contender, bench: Workbench) =>
        measureMembers(contender, bench, { members: kafkaMembers, fetches }),
    })),
  ],
};
