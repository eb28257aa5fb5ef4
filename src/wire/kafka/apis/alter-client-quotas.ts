import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  entries: {
    type: '[]struct',
    fields: {
      entity: {
        type: '[]struct',
        fields: {
          entityType: { type: 'string' },
          entityName: { type: 'string', nullable: true },
        },
      },
      ops: {
        type: '[]struct',
        fields: {
          key: { type: 'string' },
          value: { type: 'float64' },
          remove: { type: 'bool' },
        },
      },
    },
  },
  validateOnly: { type: 'bool' },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  entries: {
    type: '[]struct',
    fields: {
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      entity: {
        type: '[]struct',
        fields: {
          entityType: { type: 'string' },
          entityName: { type: 'string', nullable: true },
        },
      },
    },
  },
} as const;

export type AlterClientQuotasRequest = Message<typeof request>;

/**
 * Sets and removes quotas of clients (KIP-546). A null name is the default.
 *
 * ```
 * request => [entries] validateOnly
 *   entries => [entity] [ops]
 *     entity => entityType entityName?
 *     ops => key value remove
 * response => throttleTimeMs [entries]
 *   entries => errorCode errorMessage? [entity]
 *     entity => entityType entityName?
 * ```
 */
export const alterClientQuotasApi: Api<typeof request, typeof response> = defineApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  flexible: '1+',
  request,
  response,
});
