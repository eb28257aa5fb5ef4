import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  resources: {
    type: '[]struct',
    fields: {
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
      configurationKeys: { type: '[]string', nullable: true },
    },
  },
  includeSynonyms: { type: 'bool' },
  includeDocumentation: { type: 'bool', versions: '3+' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  results: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      resourceType: { type: 'int8' },
      resourceName: { type: 'string' },
      configs: {
        type: '[]struct',
        fields: {
          name: { type: 'string' },
          value: { type: 'string', nullable: true },
          readOnly: { type: 'bool' },
          configSource: { type: 'int8', default: -1 },
          isSensitive: { type: 'bool' },
          synonyms: {
            type: '[]struct',
            fields: {
              name: { type: 'string' },
              value: { type: 'string', nullable: true },
              source: { type: 'int8' },
            },
          },
          configType: { type: 'int8', versions: '3+' },
          documentation: { type: 'string', versions: '3+', nullable: true },
        },
      },
    },
  },
} as const;

export type DescribeConfigsRequest = Message<typeof request>;

/**
 * The configuration of topics, brokers or groups.
 *
 * resourceType: 2 topic, 4 broker, 8 logger, 16 client metrics, 32 group. A null list of keys means all.
 *
 * ```
 * request => [resources] includeSynonyms includeDocumentation{3+}
 *   resources => resourceType resourceName [configurationKeys]?
 * response => throttleTimeMs [results]
 *   results => errorCode errorMessage? resourceType resourceName [configs]
 *     configs => name value? readOnly configSource isSensitive [synonyms] configType{3+}
 *                documentation?{3+}
 *       synonyms => name value? source
 * ```
 */
export const describeConfigsApi: Api<typeof request, typeof response> = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexible: '4+',
  request,
  response,
});
