import { Compression, apis, type AnyApi } from '../../../src/wire/kafka/index.ts';
import { KafkaClient, batchOf, requestBytes } from '../../protocols/kafka/kit.ts';
import { fullRequest, requestFrame } from '../../wire/kafka/full-request.ts';
import type { CostlyInput, Ports } from './input.ts';
import { tableBlocks } from './zstd-blocks.ts';

const mib = 2 ** 20;
/** The shipped limit, less the elements of the outer arrays. */
const elementsMax = 100_000 - 10;

/** So many bytes of empty names, as version 0 or 1 has them. */
function emptyNames(api: AnyApi, version: number, bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  body.writeInt32BE(Math.floor((bytes - 5) / 2), 0);
  return requestFrame(api, version, body);
}

async function topics(
  ports: Ports,
  count: number,
  partitions = 1,
  nameOf = (at: number): string => `t${at}`,
): Promise<void> {
  using client = await KafkaClient.connect(ports.kafka, 60_000);
  for (let at = 0; at < count; at++) await client.createTopic(nameOf(at), partitions);
}

/** Every request with an array, filled to 1 MiB with existing names, or as far as elements are allowed. */
const fullRequests: readonly CostlyInput[] = (Object.values(apis) as AnyApi[]).flatMap((api) =>
  (['outer', 'inner'] as const).flatMap((where) => {
    const version = api.versions.max;
    const request = (): Buffer | undefined => fullRequest(api, version, mib, elementsMax, where);
    if (request() === undefined) return [];
    if (where === 'inner' && request()!.equals(fullRequest(api, version, mib, elementsMax, 'outer')!))
      return [];
    return [
      {
        name: `Kafka ${api.name} v${version}, 1 MiB of elements, ${where}`,
        protocol: 'kafka' as const,
        prepare: (ports: Ports) => topics(ports, 1),
        bytes: () => request()!,
        answers: 1,
      },
    ];
  }),
);

const longName = (at: number): string => `${'a'.repeat(245)}-${at}`.padEnd(249, 'b');

const pattern = (text: string): Buffer =>
  Buffer.concat(
    requestBytes('ConsumerGroupHeartbeat', 1, {
      groupId: 'g',
      memberId: 'AAAAAAAAAAAAAAAAAAAAAA',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 10_000,
      subscribedTopicNames: [],
      subscribedTopicRegex: text,
      serverAssignor: null,
      topicPartitions: [],
    }),
  );

const largeTopics = (count: number): CostlyInput => ({
  name: `Kafka CreateTopics, ${count} topics of 10,000 partitions`,
  protocol: 'kafka',
  bytes: () =>
    Buffer.concat(
      requestBytes('CreateTopics', 5, {
        topics: Array.from({ length: count }, (_, at) => ({
          name: `t${at}`,
          numPartitions: 10_000,
          replicationFactor: 1,
          assignments: [],
          configs: [],
        })),
        validateOnly: false,
      }),
    ),
  answers: 1,
});

export const kafkaInputs: readonly CostlyInput[] = [
  largeTopics(10),
  largeTopics(50),
  {
    name: 'Kafka AlterShareGroupOffsets, one partition 65,000 times',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 1),
    bytes: () =>
      Buffer.concat(
        requestBytes('AlterShareGroupOffsets', 0, {
          groupId: 'g',
          topics: [
            {
              topicName: 't0',
              partitions: Array.from({ length: 65_000 }, () => ({ partitionIndex: 0, startOffset: 0 })),
            },
          ],
        }),
      ),
    answers: 1,
  },
  {
    name: 'Kafka AlterShareGroupOffsets, 10,000 partitions',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 1, 10_000),
    bytes: () =>
      Buffer.concat(
        requestBytes('AlterShareGroupOffsets', 0, {
          groupId: 'g',
          topics: [
            {
              topicName: 't0',
              partitions: Array.from({ length: 10_000 }, (_, partitionIndex) => ({
                partitionIndex,
                startOffset: 0,
              })),
            },
          ],
        }),
      ),
    answers: 1,
  },
  {
    name: 'Kafka ConsumerGroupHeartbeat, t.* over 3,000 topics',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 3000),
    bytes: () => pattern('t.*'),
    answers: 1,
  },
  {
    name: 'Kafka Metadata v1, 4 MiB of empty names',
    protocol: 'kafka',
    bytes: () => emptyNames(apis.Metadata, 1, 4 * mib),
    answers: 1,
  },
  {
    name: 'Kafka Metadata v1, 32 MiB of empty names',
    protocol: 'kafka',
    bytes: () => emptyNames(apis.Metadata, 1, 32 * mib),
    answers: 1,
  },
  {
    name: 'Kafka Metadata v1, 1 MiB of new names',
    protocol: 'kafka',
    bytes: () =>
      Buffer.concat(
        requestBytes('Metadata', 1, {
          topics: Array.from({ length: 104_857 }, (_, at) => ({ name: `n${String(at).padStart(7, '0')}` })),
        }),
      ),
    answers: 1,
  },
  {
    name: 'Kafka DescribeGroups v0, 4 MiB of empty names',
    protocol: 'kafka',
    bytes: () => emptyNames(apis.DescribeGroups, 0, 4 * mib),
    answers: 1,
  },
  {
    name: 'Kafka DescribeConfigs, one topic 4,000 times',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 1),
    bytes: () =>
      Buffer.concat(
        requestBytes('DescribeConfigs', 4, {
          resources: Array.from({ length: 4000 }, () => ({
            resourceType: 2,
            resourceName: 't0',
            configurationKeys: null,
          })),
          includeSynonyms: true,
          includeDocumentation: true,
        }),
      ),
    answers: 1,
  },
  {
    name: 'Kafka Metadata, one topic of 1,000 partitions 4,000 times',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 1, 1000),
    bytes: () =>
      Buffer.concat(
        requestBytes('Metadata', 9, { topics: Array.from({ length: 4000 }, () => ({ name: 't0' })) }),
      ),
    answers: 1,
  },
  {
    name: 'Kafka Metadata of all topics, 200 times at once',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 10, 1000),
    bytes: () => {
      const one = Buffer.concat(requestBytes('Metadata', 9, { topics: null }));
      return Buffer.alloc(one.length * 200, one);
    },
    answers: 200,
  },
  {
    name: 'Kafka ConsumerGroupHeartbeat, (a*){1200} over 20 topics',
    protocol: 'kafka',
    prepare: (ports) => topics(ports, 20, 1, longName),
    bytes: () => pattern('(a*){1200}'),
    answers: 1,
  },
  {
    name: 'Kafka Produce, three zstd batches of 0.9 MB full of tables, and a browse',
    protocol: 'kafka',
    prepare: async (ports) => {
      await topics(ports, 1);
      using client = await KafkaClient.connect(ports.kafka, 60_000);
      const batch = batchOf(['x'], {
        compression: { codec: Compression.zstd, compress: () => tableBlocks(0.9e6) },
      });
      for (let at = 0; at < 3; at++) await client.produce('t0', batch);
    },
    // To find the first record of a time, the batches are opened.
    bytes: () => {
      const one = Buffer.concat(
        requestBytes('ListOffsets', 1, {
          replicaId: -1,
          topics: [{ name: 't0', partitions: [{ partitionIndex: 0, timestamp: 1 }] }],
        }),
      );
      return Buffer.alloc(one.length * 5, one);
    },
    answers: 5,
  },
  ...fullRequests,
];
