import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  components: {
    type: '[]struct',
    fields: {
      entityType: { type: 'string' },
      matchType: { type: 'int8' },
      match: { type: 'string', nullable: true },
    },
  },
  strict: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  entries: {
    type: '[]struct',
    nullable: true,
    fields: {
      entity: {
        type: '[]struct',
        fields: {
          entityType: { type: 'string' },
          entityName: { type: 'string', nullable: true },
        },
      },
      values: {
        type: '[]struct',
        fields: {
          key: { type: 'string' },
          value: { type: 'float64' },
        },
      },
    },
  },
} as const;

export type DescribeClientQuotasRequest = Message<typeof request>;

/**
 * The quotas of clients that match a filter (KIP-546).
 *
 * entityType: user, client-id or ip. matchType: 0 the name in `match`, 1 the default, 2 any name. With
 * `strict`, entities that have a type not named in the filter are left out. A null name is the default.
 *
 * ```
 * request => [components] strict
 *   components => entityType matchType match?
 * response => throttleTimeMs errorCode errorMessage? [entries]?
 *   entries => [entity] [values]
 *     entity => entityType entityName?
 *     values => key value
 * ```
 */
export const describeClientQuotasApi: Api<typeof request, typeof response> = defineApi({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request,
  response,
});
