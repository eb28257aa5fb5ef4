import { defineApi, type Api } from '../api.ts';

const request = {
  authBytes: { type: 'bytes' },
} as const;

const response = {
  errorCode: { type: 'int16' },
  errorMessage: { type: 'string', nullable: true },
  authBytes: { type: 'bytes' },
  sessionLifetimeMs: { type: 'int64', versions: '1+' },
} as const;

/**
 * One token of the chosen mechanism, and its answer.
 *
 * From 1 on the response has the lifetime of the login.
 *
 * ```
 * request => authBytes
 * response => errorCode errorMessage? authBytes sessionLifetimeMs{1+}
 * ```
 */
export const saslAuthenticateApi: Api<typeof request, typeof response> = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request,
  response,
});
