import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  deletions: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      mechanism: { type: 'int8' },
    },
  },
  upsertions: {
    type: '[]struct',
    fields: {
      name: { type: 'string' },
      mechanism: { type: 'int8' },
      iterations: { type: 'int32' },
      salt: { type: 'bytes' },
      saltedPassword: { type: 'bytes' },
    },
  },
} as const;

const response = {
  throttleTimeMs: { type: 'int32', default: 0 },
  results: {
    type: '[]struct',
    fields: {
      user: { type: 'string' },
      errorCode: { type: 'int16' },
      errorMessage: { type: 'string', nullable: true },
    },
  },
} as const;

export type AlterUserScramCredentialsRequest = Message<typeof request>;

/**
 * Removes, changes and adds the SCRAM credentials of users (KIP-554).
 *
 * mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. The client salts the password: `saltedPassword` is the key
 * that RFC 5802 calls SaltedPassword.
 *
 * ```
 * request => [deletions] [upsertions]
 *   deletions => name mechanism
 *   upsertions => name mechanism iterations salt saltedPassword
 * response => throttleTimeMs [results]
 *   results => user errorCode errorMessage?
 * ```
 */
export const alterUserScramCredentialsApi: Api<typeof request, typeof response> = defineApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: '0',
  flexible: '0+',
  request,
  response,
});
