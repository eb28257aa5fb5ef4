import { defineApi, type Api } from '../api.ts';

const request = {
  users: {
    type: '[]struct',
    nullable: true,
    fields: {
      name: { type: 'string' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  results: {
    type: '[]struct',
    fields: {
      user: { type: 'string' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
      credentialInfos: {
        type: '[]struct',
        fields: {
          mechanism: { type: 'int8' },
          iterations: { type: 'int32' },
        },
      },
    },
  },
} as const;

/**
 * The SCRAM credentials of users, without their keys (KIP-554).
 *
 * An empty or null list of users means all users with credentials. mechanism: 1 SCRAM-SHA-256, 2
 * SCRAM-SHA-512.
 *
 * ```
 * request => [users]?
 *   users => name
 * response => throttleTimeMs errorCode errorMessage? [results]
 *   results => user errorCode errorMessage? [credentialInfos]
 *     credentialInfos => mechanism iterations
 * ```
 */
export const describeUserScramCredentialsApi: Api<typeof request, typeof response> = defineApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
