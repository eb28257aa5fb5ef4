import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      numPartitions: { type: 'int32' },
      replicationFactor: { type: 'int16' },
      assignments: {
        type: '[]struct',
        fields: {
          partitionIndex: { type: 'int32' },
          brokerIds: { type: '[]int32' },
        },
      },
      configs: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          value: { type: 'string', nullable: true },
        },
      },
    },
  },
  timeoutMs: { type: 'int32', default: 60_000 },
  validateOnly: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  topics: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      topicId: { type: 'uuid', versions: '7+' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      topicConfigErrorCode: { type: 'int16', versions: '5+', tag: 0 },
      numPartitions: { type: 'int32', versions: '5+', default: -1 },
      replicationFactor: { type: 'int16', versions: '5+', default: -1 },
      configs: {
        type: '[]struct',
        versions: '5+',
        nullable: true,
        fields: {
          name: { type: 'string' },
          value: { type: 'string', nullable: true },
          readOnly: { type: 'bool' },
          configSource: { type: 'int8', default: -1 },
          isSensitive: { type: 'bool' },
        },
      },
    },
  },
} as const;

export type CreateTopicsRequest = Message<typeof request>;

/**
 * Creates topics.
 *
 * From 4 on, -1 partitions and replication factor -1 mean the broker's defaults. From 5 on the response has
 * the configuration, from 7 on the topic id.
 *
 * ```
 * request => [topics] timeoutMs validateOnly
 *   topics => name numPartitions replicationFactor [assignments] [configs]
 *     assignments => partitionIndex [brokerIds]
 *     configs => name value?
 * response => throttleTimeMs [topics]
 *   topics => name topicId{7+} errorCode errorMessage? numPartitions{5+} replicationFactor{5+}
 *             [configs]?{5+} #0:topicConfigErrorCode{5+}
 *     configs => name value? readOnly configSource isSensitive
 * ```
 */
export const createTopicsApi: Api<typeof request, typeof response> = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexible: '5+',
  request,
  response,
});
